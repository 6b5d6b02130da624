"""`prism-iac validate`: everything that is wrong with stack files, without a network or a backend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["validate"]

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Stack files.", show_default=False)]


def validate(files: Files) -> None:
    """Tell everything that is wrong with stack files; the exit code is 1 when there is something."""
    from prism_iac.spec import validate_stack

    is_fine = True
    for file in files:
        findings = validate_stack(file)
        for finding in findings:
            typer.echo(finding, err=True)
        if not findings:
            typer.echo(f"{file}: nothing is wrong")
        is_fine = is_fine and not findings
    if not is_fine:
        raise typer.Exit(1)
