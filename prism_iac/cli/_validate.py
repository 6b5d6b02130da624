"""`prism-iac validate`: everything that is wrong with stack files, without a network or a backend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import AsJson, emit, emit_json, say

__all__ = ["validate"]

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Stack files.", show_default=False)]


def validate(files: Files, *, as_json: AsJson = False) -> None:
    """Tell everything that is wrong with stack files.

    Calls nobody. Each finding has its file, line and column, and says what to write instead. The exit code
    is 1 when there is one.
    """
    from prism_iac.cli._as_documents import finding_document
    from prism_iac.spec import validate_stack

    found = {file: validate_stack(file) for file in files}
    if as_json:
        emit_json([finding_document(finding) for findings in found.values() for finding in findings])
    else:
        for file, findings in found.items():
            for finding in findings:
                say(str(finding))
            if not findings:
                emit(f"{file}: nothing is wrong")
    if any(found.values()):
        raise typer.Exit(ExitCode.REFUSED)
