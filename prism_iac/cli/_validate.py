"""`prism-iac validate`: everything that is wrong with stack files, without a network or a backend."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import AsJson, emit, emit_json, say

if TYPE_CHECKING:
    from prism_iac.errors import Finding

__all__ = ["validate"]

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Stack files.", show_default=False)]


def validate(files: Files, *, as_json: AsJson = False) -> None:
    """Tell everything that is wrong with stack files, and what breaks the rules of their environments.

    Calls nobody. Each finding has its file, line and column, and says what to write instead. The exit code
    is 1 when there is one that is more than advice.
    """
    from prism_iac.cli._as_documents import finding_document

    found = {file: _findings(file) for file in files}
    if as_json:
        emit_json(
            [finding_document(finding) for wrong, advice in found.values() for finding in wrong + advice]
        )
    else:
        for file, (wrong, advice) in found.items():
            for finding in wrong + advice:
                say(str(finding))
            if not wrong:
                emit(f"{file}: nothing is wrong")
    if any(wrong for wrong, _ in found.values()):
        raise typer.Exit(ExitCode.REFUSED)


def _findings(file: Path) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What is wrong with a stack file, and what is advice."""
    from prism_iac.cli._rules import advice_of, refusals_of
    from prism_iac.errors import InvalidInput
    from prism_iac.spec import load_stack

    now = datetime.now(UTC)
    try:
        stack = load_stack(file, now=lambda: now)
    except InvalidInput as error:
        return tuple(error.findings), ()
    return refusals_of(stack, now.date()), advice_of(stack, now.date())
