"""The runs of a computation, as commands need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prism_iac.cli._output import moment, printable, say
from prism_iac.cli._prism import Prism
from prism_iac.errors import Conflict, Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.prism import ComputationRecord, EventRecord, RunRecord

__all__ = ["choose_run", "event_words", "has_ended", "refreshed", "run_facts", "wait_for_end"]


def choose_run(prism: Prism, computation: ComputationRecord, number: int | None) -> RunRecord:
    """A run by its number; the latest without one.

    Raises:
        Conflict: The computation has not been run.
        InvalidInput: It has no run of that number.
    """
    latest = prism.run_of(computation)
    if number in (None, latest.number):
        return latest
    for run in prism.workspace.computations.runs(computation_id=computation.id):
        if run.number == number:
            return run
    raise InvalidInput(
        [
            Finding(
                path="--run",
                message=f'the computation "{computation.name}" has no run {number}',
                fix=f"Its latest run is {latest.number}.",
            )
        ]
    )


def refreshed(prism: Prism, run: RunRecord) -> RunRecord:
    """A run as it is now.

    Raises:
        Conflict: It went with its computation.
    """
    for known in prism.workspace.computations.runs(computation_id=run.computation_id):
        if known.id == run.id:
            return known
    raise Conflict(f"run {run.number} is gone", next_step="Its computation was deleted meanwhile.")


def has_ended(prism: Prism, run: RunRecord) -> bool:
    """Whether a run has ended."""
    status = refreshed(prism, run).status
    return status is not None and status.is_final


def wait_for_end(prism: Prism, run: RunRecord) -> RunRecord:
    """The run at its end; each of its steps is told on standard error."""
    from prism_iac.cli._follow import follow

    steps = follow(
        lambda since: prism.workspace.computations.events(run.computation_id, run_id=run.id, since=since),
        lambda: has_ended(prism, run),
    )
    for step in steps:
        say(event_words(step))
    return refreshed(prism, run)


def event_words(event: EventRecord) -> str:
    """A step of a run, on one line."""
    return printable(f"{moment(event.timestamp)}  {event.event_type}  {event.status}")


def run_facts(run: RunRecord | None) -> tuple[tuple[str, str | int | None], ...]:
    """A run, to print."""
    if run is None:
        return (("run", "none"),)
    return (
        ("run", run.number),
        ("run id", run.id),
        ("run status", run.status),
        ("agent", run.agent_address),
        ("started", moment(run.start_time)),
        ("ended", moment(run.end_time)),
    )
