"""The command: runs every check and tells what it found."""

from __future__ import annotations

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._given import given
from prism_iac.cli._output import AsJson, emit_json, emit_table, printable, say
from prism_iac.cli._prism import Prism

__all__ = ["doctor"]


@given(Prism)
def doctor(prism: Prism, *, as_json: AsJson = False) -> None:
    """Find out what keeps this machine from working.

    Looks at Python, the Pulumi CLI, the data folder, the backend, the clock, credentials and certificates,
    and changes nothing. The exit code is 1 when something is wrong.
    """
    from prism_iac.cli._as_documents import report_document
    from prism_iac.cli.doctor._checks import run_checks
    from prism_iac.cli.doctor._outcome import Verdict

    outcomes = run_checks(prism)
    if as_json:
        emit_json(report_document(outcomes))
    else:
        emit_table(
            ("CHECK", "VERDICT", "EVIDENCE"),
            ((name, outcome.verdict, outcome.evidence) for name, outcome in outcomes.items()),
        )
        for name, outcome in outcomes.items():
            if outcome.verdict is Verdict.FAILED:
                say(printable(f"{name}: {outcome.cause}\n  {outcome.fix}", keep_lines=True))
    if any(outcome.verdict is Verdict.FAILED for outcome in outcomes.values()):
        raise typer.Exit(ExitCode.REFUSED)
