"""The words that every form of a plan has in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from prism_iac.plan._plan import Effect, Impact, Plan, ResourceChange

__all__ = ["NOTHING", "headline", "one_line", "people", "summary"]

NOTHING: Final = "nothing to do"

_DONE: Final = {
    Effect.CREATE: "created",
    Effect.UPDATE: "updated",
    Effect.REPLACE: "replaced",
    Effect.DELETE: "deleted",
}
_MANY_PEOPLE: Final = 12
_MANY_NAMES: Final = 6
_LONGEST_NAME: Final = 80
_ACTS: Final = {
    Impact.APPROVAL: "must agree again",
    Impact.UPLOAD: "must upload",
    Impact.FETCH: "must fetch",
    Impact.ACCESS: "have other rights",
}


def headline(plan: Plan) -> str:
    """The whole plan in one sentence."""
    if plan.errors:
        return "there is no update to be had"
    counts = [f"{number} {word}" for effect, word in _DONE.items() if (number := plan.count(effect))]
    return f"{', '.join(counts) or NOTHING}; {plan.unchanged} unchanged"


def summary(plan: Plan) -> Iterator[tuple[str, str]]:
    """What a reader must know, as pairs of a heading and a line; bounded however large the plan is."""
    if plan.errors:
        yield "errors", f"{len(plan.errors)}: {_cut(plan.errors[0])}"
    if plan.trust:
        by_trust = Counter(shift.trust for shift in plan.trust)
        yield "trust", ", ".join(f"{number} {trust}" for trust, number in by_trust.items())
    yield from _of_changes(plan)
    yield from _of_people(plan)
    if plan.missing:
        yield "missing before a run", f"{len(plan.missing)}: {_cut(plan.missing[0].message)}"
    if plan.rules:
        waived = sum(finding.waived for finding in plan.rules)
        yield "rules", f"{len(plan.rules) - waived} broken, {waived} waived"
    if plan.upcoming:
        first = plan.upcoming[0]
        yield "next 90 days", f"{len(plan.upcoming)}: {first.on} {_cut(first.of)} {first.event}"


def _of_changes(plan: Plan) -> Iterator[tuple[str, str]]:
    by_impact = {
        impact: [change for change in plan.changes if change.has(impact)]
        for impact in (Impact.REFUSED, Impact.LOST)
    }
    replaced = [change for change in plan.changes if change.effect is Effect.REPLACE]
    for name, changes in (
        *by_impact.items(),
        ("replaced", replaced),
        ("renews", list(plan.renewals)),
    ):
        if changes:
            yield str(name), _names(changes)


def _of_people(plan: Plan) -> Iterator[tuple[str, str]]:
    told = [item for change in plan.changes for item in change.consequences]
    for impact, words in _ACTS.items():
        if who := {user for item in told if item.impact is impact for user in item.who}:
            yield words, people(sorted(who))


def people(users: Iterable[str]) -> str:
    """Users in a sentence; of very many the first ones."""
    return _listed([_cut(user) for user in users], _MANY_PEOPLE)


def one_line(text: str) -> str:
    """A foreign text without line breaks or anything else that a terminal would obey."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _names(changes: Iterable[ResourceChange]) -> str:
    return _listed([f"{change.kind} {_cut(change.name)}" for change in changes], _MANY_NAMES)


def _listed(items: list[str], most: int) -> str:
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")


def _cut(text: str) -> str:
    text = text.partition("\n")[0]
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"
