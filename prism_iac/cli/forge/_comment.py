"""`prism-iac comment`: a plan as the comment of a pull request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from prism_iac.cli._output import printable, say
from prism_iac.errors import Finding, InvalidInput

__all__ = ["comment"]

_SUMMARY_VARIABLE: Final = "GITHUB_STEP_SUMMARY"


def comment(
    *,
    plan: Annotated[
        Path,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="What `prism-iac plan --format json` wrote."
        ),
    ],
    pull_request: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, help="The pull request; the one of the job when left out."),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT",
            help="The open pull request whose branch ends in this commit, as the forge says.",
        ),
    ] = None,
    summary: Annotated[
        bool,
        typer.Option(
            "--summary",
            help="To the summary of the job instead; a job of GitHub that is about no pull request.",
        ),
    ] = False,
) -> None:
    """Publish a plan to the pull request that a job of GitHub or GitLab is about.

    There is one comment for each stack, and it is edited in place. What it says is made here from the plan's
    data, so a file from a fork brings no markup along; nor does it say where it goes: a job that takes plans of
    forks names the commit that the forge told it, with --head. The token is read from GITHUB_TOKEN, or from
    GITLAB_TOKEN. Where the job may not comment, the plan goes to the summary of the job.
    """
    from prism_iac.cli.plan._read import read_plan
    from prism_iac.forge import (
        COMMENT_CHARACTERS,
        NotAllowed,
        composed,
        forge_of,
        number_of_head,
        publish,
        pull_requests_of,
    )
    from prism_iac.plan import markdown_of

    if sum((head is not None, pull_request is not None, summary)) > 1:
        raise typer.BadParameter("Say one of --head, --pull-request and --summary.")
    found = read_plan(plan)
    mark_characters = len(composed(found.stack, ""))
    body = composed(found.stack, markdown_of(found, limit=COMMENT_CHARACTERS - mark_characters))
    if summary:
        _summarize(body)
        return
    number = pull_request if head is None else number_of_head(pull_requests_of(os.environ), head)
    try:
        publish(forge_of(os.environ, number=number), stack=found.stack, body=body)
    except NotAllowed as refusal:
        if not os.environ.get(_SUMMARY_VARIABLE):
            raise
        _summarize(body)
        say(f"the plan is in the summary of the job: {printable(refusal.message)}")


def _summarize(body: str) -> None:
    path = os.environ.get(_SUMMARY_VARIABLE)
    if not path:
        raise InvalidInput(
            [Finding(message=f"{_SUMMARY_VARIABLE} is not set", fix="Run this in a job of GitHub.")]
        )
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{body}\n")
