"""`prism-iac plan`: what an update would do, why, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import emit

if TYPE_CHECKING:
    from prism_iac.plan import Plan

__all__ = ["StackFilePath", "StackName", "plan"]

CHANGES: Final = 2
"""The exit code of a plan with changes, where it is asked for."""


class Format(StrEnum):
    """How a plan is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


StackName = Annotated[
    str | None, typer.Option(metavar="NAME", help="The Pulumi stack; the selected one when left out.")
]
StackFilePath = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        resolve_path=True,
        help="The stack file that the program deploys; stacks/NAME.yaml when left out.",
    ),
]


def plan(
    *,
    stack: StackName = None,
    file: StackFilePath = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there; one that is there is replaced.")
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="End with 2 where something changes, with 0 where nothing does."),
    ] = False,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="The plan as it would be at the begin of this day, UTC.",
        ),
    ] = None,
) -> None:
    """Tell what an update would do, why, and what follows from it. Changes nothing.

    Runs a preview of the engine. Tells of each change the fields, their old and new values and the rule by
    which they change, and who has to act; what gets looser of trust comes first. Secrets are fingerprints,
    which compare within one checkout. The exit code is 1 where there is no update to be had, and
    where a mandatory rule of the environment forbids it.
    """
    from prism_iac.cli._files import PUBLIC, write_file
    from prism_iac.cli.plan._preview import make_plan, stack_name

    found = make_plan(stack_name(stack), file=file, at=at.replace(tzinfo=UTC) if at else None)
    text = _written(found, form)
    if output is None:
        emit(text.rstrip("\n"))
    else:
        write_file(output, text.encode(), mode=PUBLIC, force=True)
    if found.is_refused:
        raise typer.Exit(ExitCode.REFUSED)
    if exit_code and found.changes:
        raise typer.Exit(CHANGES)


def _written(found: Plan, form: Format) -> str:
    from prism_iac.plan import markdown_of, text_of

    match form:
        case Format.TEXT:
            return text_of(found)
        case Format.MARKDOWN:
            return markdown_of(found)
        case Format.JSON:
            return found.to_json()
