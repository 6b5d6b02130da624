"""A plan for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prism_iac.plan._plan import Effect, FieldChange, Plan, ResourceChange
from prism_iac.plan._words import headline, one_line, people, summary

__all__ = ["text_of"]


def text_of(plan: Plan) -> str:
    """The whole plan as plain text, the summary first."""
    return "\n".join(one_line(line) if line else "" for line in _lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"Plan for {plan.stack} as of {plan.as_of}: {headline(plan)}"
    yield from (f"  {name}: {line}" for name, line in summary(plan))
    yield from _section("Errors", (line for error in plan.errors for line in error.splitlines()))
    yield from _section(
        "Trust",
        (
            f"{shift.trust}  {shift.policy}.{shift.field}: {shift.old} -> {shift.new}"
            + (f"  (allowed by {shift.approval})" if shift.approval else "")
            for shift in plan.trust
        ),
    )
    yield from _section(
        "Rules",
        (
            f"{finding.rule}  {finding.resource}: {finding.message}"
            + (f"  (waived: {finding.waiver})" if finding.waived else "")
            for finding in plan.rules
        ),
    )
    yield from _section("Changes", (line for change in plan.changes for line in _change(change)))
    yield from _section(
        "Missing before a run",
        (f"{item.need}  {item.computation}: {item.message} {item.next_step}" for item in plan.missing),
    )
    yield from _section(
        "Next 90 days",
        (
            f"{item.on} ({item.days_left} days)  {item.of} {item.event}. {item.next_step}"
            for item in plan.upcoming
        ),
    )


def _section(heading: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield heading
        yield from (f"  {line}" for line in found)


def _change(change: ResourceChange) -> Iterator[str]:
    yield f"{change.effect}  {change.kind} {change.name}"
    yield from (f"    because {reason}" for reason in change.reasons)
    yield from (f"    {_field(item, change.effect)}" for item in change.fields)
    for item in change.consequences:
        yield f"    {item.impact}: {item.text}" + (f" ({people(item.who)})" if item.who else "")


def _field(item: FieldChange, effect: Effect) -> str:
    if effect is Effect.CREATE:
        return f"{item.path}: {item.new}"
    old, new = ("nothing" if value is None else value for value in (item.old, item.new))
    return f"{item.path}: {old} -> {new}  [{item.rule}]"
