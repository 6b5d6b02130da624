"""Runs a table of checks, one after the other, and tells what they found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._outcome import Outcome, Verdict, failed, skipped
from prism_iac.cli._output import emit_json, emit_table, printable, say
from prism_iac.errors import PrismError

__all__ = ["Check", "report", "run_checks"]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """A check.

    Attributes:
        run: Does it; an error of this package counts as a failure.
        needs: The check without whose success this one makes no sense.
    """

    run: Callable[[S], Outcome]
    needs: str | None = None


def run_checks(checks: Mapping[str, Check[S]], subject: S) -> dict[str, Outcome]:
    """What every check found, by its name.

    Args:
        checks: By name; what a check needs stands before it.
        subject: What they look at.
    """
    outcomes: dict[str, Outcome] = {}
    for name, check in checks.items():
        if check.needs is not None and outcomes[check.needs].verdict is not Verdict.OK:
            outcomes[name] = skipped(f"it needs: {check.needs}")
        else:
            outcomes[name] = _outcome(check, subject)
    return outcomes


def report(outcomes: Mapping[str, Outcome], *, as_json: bool) -> None:
    """Print what checks found; a failure ends the command with exit code 1."""
    from prism_iac.cli._as_documents import report_document

    if as_json:
        emit_json(report_document(outcomes))
    else:
        emit_table(
            ("CHECK", "VERDICT", "EVIDENCE"),
            ((name, outcome.verdict, printable(outcome.evidence)) for name, outcome in outcomes.items()),
        )
        for name, outcome in outcomes.items():
            if outcome.verdict is Verdict.FAILED:
                say(printable(f"{name}: {outcome.cause}\n  {outcome.fix}", keep_lines=True))
    if any(outcome.verdict is Verdict.FAILED for outcome in outcomes.values()):
        raise typer.Exit(ExitCode.REFUSED)


def _outcome(check: Check[S], subject: S) -> Outcome:
    try:
        return check.run(subject)
    except PrismError as error:
        return failed(error.where or "-", cause=error.message, fix=error.next_step)
