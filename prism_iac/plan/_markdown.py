"""A plan as a comment of a pull request.

Nothing in it is taken for markup: what is foreign stands in `<code>` or has every character that Markdown, HTML
or a forge gives a meaning written as an entity (CommonMark §2.5: an entity is never structure). What does not
fit is left out from the end, details first, and said so; the summary always stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prism_iac.plan._plan import Effect, Plan, ResourceChange
from prism_iac.plan._words import headline, one_line, people, summary

__all__ = ["COMMENT_CHARACTERS", "markdown_of"]

COMMENT_CHARACTERS: Final = 64_000
"""What fits into a comment of every forge."""

_MEANINGFUL: Final = re.compile(r"""[!"#$&*:<>@\[\\\]^_`{|}~]|(?<=www)\.""", re.IGNORECASE)
_CALLS: Final = "@#"
"""What makes a forge call somebody or link something; a comment after it keeps it from that."""

_NOTE_CHARACTERS: Final = 200
"""Kept free for the note on what was left out."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A part of a section.

    Attributes:
        brief: One line.
        full: The same with its details.
    """

    brief: str
    full: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    heading: str
    items: Sequence[_Item]


def markdown_of(plan: Plan, *, limit: int = COMMENT_CHARACTERS) -> str:
    """A plan in GitHub's and GitLab's Markdown.

    Args:
        plan: What to tell.
        limit: How many characters it may have; a summary that is longer stays whole.
    """
    head = _head(plan)
    sections = [section for section in _sections(plan) if section.items]
    left = limit - len(head) - _NOTE_CHARACTERS - sum(len(section.heading) + 2 for section in sections)
    chosen: list[list[str]] = []
    dropped = 0
    for section in sections:
        kept = []
        for item in section.items:
            if len(item.brief) + 1 > left:
                dropped += 1
                continue
            left -= len(item.brief) + 1
            kept.append(item.brief)
        chosen.append(kept)
    shortened = 0
    for section, kept in zip(sections, chosen, strict=True):
        for index, item in enumerate(section.items[: len(kept)]):
            if not item.full:
                continue
            if len(item.full) - len(item.brief) > left:
                shortened += 1
                continue
            left -= len(item.full) - len(item.brief)
            kept[index] = item.full
    parts = [
        f"{section.heading}\n" + "".join(f"{line}\n" for line in kept)
        for section, kept in zip(sections, chosen, strict=True)
        if kept
    ]
    return head + "".join(parts) + _note(dropped, shortened)


def _note(dropped: int, shortened: int) -> str:
    if not dropped and not shortened:
        return ""
    return (
        f"\n_Left out, for it does not fit: {dropped} lines, and the details of {shortened} changes. "
        "`prism-iac plan` shows everything._\n"
    )


def _head(plan: Plan) -> str:
    lines = [
        f"### Plan for {_code(plan.stack[:100])} as of {plan.as_of}",
        "",
        f"**{_plain(headline(plan))}**",
        "",
    ]
    lines += [f"- **{name}**: {_plain(line)}" for name, line in summary(plan)]
    return "\n".join(lines) + "\n"


def _sections(plan: Plan) -> Iterator[_Section]:
    yield _Section(
        "\n#### Errors\n",
        [_Item(*_error(error.splitlines())) for error in plan.errors],
    )
    yield _Section(
        "\n#### Trust\n\n| | field | was | will be |\n|---|---|---|---|",
        [
            _Item(
                f"| **{shift.trust}** | {_code(f'{shift.policy}.{shift.field}')} | {_code(shift.old)} "
                f"| {_code(shift.new)}{f' allowed by {_plain(shift.approval)}' if shift.approval else ''} |"
            )
            for shift in plan.trust
        ],
    )
    yield _Section(
        "\n#### Rules\n",
        [
            _Item(
                f"- {'waived' if finding.waived else '**broken**'} {_code(finding.rule)} "
                f"{_code(finding.resource)}: {_plain(finding.message)}"
                + (f" ({_plain(finding.waiver)})" if finding.waiver else "")
            )
            for finding in plan.rules
        ],
    )
    yield _Section("\n#### Changes\n", [_change(change) for change in plan.changes])
    yield _Section(
        "\n#### Missing before a run\n",
        [
            _Item(f"- {item.need} of {_code(item.computation)}: {_plain(f'{item.message} {item.next_step}')}")
            for item in plan.missing
        ],
    )
    yield _Section(
        "\n#### Next 90 days\n",
        [
            _Item(
                f"- {item.on} ({item.days_left} days): {_plain(f'{item.of} {item.event}. {item.next_step}')}"
            )
            for item in plan.upcoming
        ],
    )


def _change(change: ResourceChange) -> _Item:
    title = f"**{change.effect}** {_code(f'{change.kind} {change.name}')}"
    lines = [f"- because {_plain(reason)}" for reason in change.reasons]
    lines += [
        f"- **{item.impact}**: {_plain(item.text)}" + (f" ({_plain(people(item.who))})" if item.who else "")
        for item in change.consequences
    ]
    if change.fields:
        lines += ["", *_table(change)]
    if not lines:
        return _Item(f"- {title}")
    return _Item(
        f"- {title}",
        "\n".join([f"<details><summary>{_html(change)}</summary>", "", *lines, "", "</details>", ""]),
    )


def _html(change: ResourceChange) -> str:
    # Markdown is not read within the line of a summary.
    return f"<b>{change.effect}</b> {_code(f'{change.kind} {change.name}')}"


def _table(change: ResourceChange) -> Iterator[str]:
    if change.effect is Effect.CREATE:
        yield from ("| field | value |", "|---|---|")
        yield from (f"| {_code(item.path)} | {_cell(item.new)} |" for item in change.fields)
        return
    yield from ("| field | was | will be | rule |", "|---|---|---|---|")
    for item in change.fields:
        yield f"| {_code(item.path)} | {_cell(item.old)} | {_cell(item.new)} | {item.rule} |"


def _cell(value: str | None) -> str:
    return "" if value is None else _code(value)


def _error(lines: list[str]) -> tuple[str, str]:
    first, *_ = lines or [""]
    return f"- {_code(first)}", "- " + "<br>".join(map(_code, lines))


def _code(text: str) -> str:
    # A forge calls nobody from within code.
    return f"<code>{_MEANINGFUL.sub(_entity, one_line(text))}</code>"


def _plain(text: str) -> str:
    return _MEANINGFUL.sub(_silent_entity, one_line(text))


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def _silent_entity(found: re.Match[str]) -> str:
    return _entity(found) + ("<!-- -->" if found[0] in _CALLS else "")
