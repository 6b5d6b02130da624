"""The command line `prism-iac`, thin: it reads arguments, calls a room, prints and exits.

Main entry: `main`. Commands of one subject lie in one module; libraries are imported by the command that
needs them.
"""

from __future__ import annotations

import sys
from typing import Final

import typer

from prism_iac.cli import _backend, _validate
from prism_iac.errors import PrismError

__all__ = ["app", "main"]

app: Final = typer.Typer(
    name="prism-iac",
    help="Confidential computations as code.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(_backend.app, name="backend")
app.command()(_validate.validate)


def main() -> None:
    """Run a command; an error of the package is printed, and the exit code is 1."""
    try:
        app()
    except PrismError as error:
        print(error, file=sys.stderr)  # noqa: T201  # what a command says
        sys.exit(1)
