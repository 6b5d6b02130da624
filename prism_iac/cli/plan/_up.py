"""`prism-iac up`: the update that a plan told of, and no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import emit, say
from prism_iac.cli.plan._plan import StackFilePath, StackName
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.plan import Plan

__all__ = ["hold", "up"]


def up(
    *,
    stack: StackName = None,
    file: StackFilePath = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Do what this plan says, as `prism-iac plan --format json` wrote it, or nothing.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Update a stack by its plan.

    Makes the plan anew and shows it. With --plan the update is refused where the state, the stack file, the
    program or what would be done is not as it was; without it the plan is what was shown, and is held to
    that after you have agreed. Rules, locks and approvals count as in every update.
    """
    from prism_iac.cli._pulumi import CHOOSE_A_STACK, run_pulumi
    from prism_iac.cli.plan._preview import CLOCK, make_plan, stack_name
    from prism_iac.cli.plan._read import read_plan
    from prism_iac.cli.repair._review import settle_creates
    from prism_iac.plan import text_of

    if os.environ.get(CLOCK):
        raise Conflict(
            f"{CLOCK} is set, and an update happens now",
            next_step="Unset it; `prism-iac plan --at DATE` shows a day ahead.",
        )
    agreed = read_plan(plan) if plan else None
    name = stack_name(stack or (agreed.stack if agreed else None))
    if agreed is None:
        # A plan is held to the state that it was made for.
        settle_creates(name)
    found = make_plan(name, file=file)
    emit(text_of(found).rstrip("\n"))
    if found.is_refused:
        say("nothing was done: there is no update to be had, or a mandatory rule forbids it; see above")
        raise typer.Exit(ExitCode.REFUSED)
    if agreed is not None:
        hold(agreed, found)
    if not found.changes:
        return
    if not yes:
        typer.confirm("Do it?", abort=True, err=True)
        hold(found, make_plan(name, file=file))
    ended = run_pulumi(
        "up",
        "--yes",
        "--skip-preview",
        "--suppress-outputs",
        stack=name,
        by_hand=CHOOSE_A_STACK,
        is_shown=True,
    )
    if ended.returncode != 0:
        say("the update failed; run it again when the cause is gone: it goes on from here")
        raise typer.Exit(ExitCode.REFUSED)


def hold(agreed: Plan, found: Plan) -> None:
    """Refuse to go on where the world is not the one of a plan.

    Raises:
        Conflict: It moved, naming what.
    """
    from prism_iac.plan import moved

    what = ["the stack: the plan is for " + agreed.stack] if agreed.stack != found.stack else []
    what += moved(agreed.world, found.world)
    if what:
        raise Conflict(
            f"the world moved since the plan was made: {'; '.join(what)}",
            where=found.stack,
            next_step="Make the plan again, and have it agreed to.",
        )
