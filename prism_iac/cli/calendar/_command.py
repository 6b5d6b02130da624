"""The command: asks the stack and Prism, and tells what it could not ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._given import given
from prism_iac.cli._output import AsJson, emit_json, emit_table, moment, say
from prism_iac.cli._prism import Prism
from prism_iac.errors import PrismError

if TYPE_CHECKING:
    from prism_iac.plan import Entry

__all__ = ["calendar"]

_SOURCES: Final = 2


@given(Prism)
def calendar(
    prism: Prism,
    *,
    days: Annotated[int, typer.Option(min=0, help="How far to look ahead.")] = 90,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="Look from the begin of this day, UTC; else from now."
        ),
    ] = None,
    ics: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write an iCalendar; one that is there is replaced."),
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The Pulumi stack; the selected one when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what expires, renews or begins to count, soonest first; what is overdue is among it.

    The state of the Pulumi stack tells of certificate bundles, agents and attestation policies, Prism of the
    certificates of VMs. What cannot be asked is left out, and said so.
    """
    from prism_iac.cli._documents import CalendarDocument, DateDocument
    from prism_iac.cli._files import PUBLIC, write_file
    from prism_iac.cli._pulumi import load_resources
    from prism_iac.cli.calendar._ics import ics_of
    from prism_iac.plan import dates_of_stack, dates_of_workspace, upcoming

    now = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    failures: dict[str, PrismError] = {}
    entries = upcoming(
        [
            *_asked("the stack", lambda: dates_of_stack(load_resources(stack)), failures),
            *_asked("certificates of VMs", lambda: dates_of_workspace(prism.workspace), failures),
        ],
        now=now,
        days=days,
    )
    if len(failures) == _SOURCES:
        raise next(iter(failures.values()))
    for what, error in failures.items():
        say(f"left out: {what}: {error}")
    if ics is not None:
        write_file(ics, ics_of(entries, now=now), mode=PUBLIC, force=True)
    if as_json:
        dates = [
            DateDocument(at=moment(entry.at) or "", event=entry.event, of=entry.of, next_step=entry.next_step)
            for entry in entries
        ]
        emit_json(CalendarDocument(since=moment(now) or "", days=days, dates=dates, left_out=[*failures]))
        return
    emit_table(
        ("DATE", "DAYS", "EVENT", "OF", "NEXT"),
        (
            (f"{entry.at:%Y-%m-%d}", (entry.at - now).days, entry.event, entry.of, entry.next_step)
            for entry in entries
        ),
    )


def _asked(what: str, ask: Callable[[], Iterable[Entry]], failures: dict[str, PrismError]) -> list[Entry]:
    try:
        return list(ask())
    except PrismError as error:
        failures[what] = error
        return []
