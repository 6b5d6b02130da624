"""Makes ephemeral stacks, and takes them away again: those of a mark alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prism_iac.cli._output import moment, printable
from prism_iac.cli._pulumi import ask_pulumi, project_folder, run_pulumi
from prism_iac.cli.ephemeral._mark import (
    BY_HAND,
    Mark,
    is_there,
    marked_stacks,
    name_of,
    read_mark,
    write_mark,
)
from prism_iac.cli.ephemeral._stack_file import remove_stack_file, write_stack_file
from prism_iac.errors import Conflict, PrismError

if TYPE_CHECKING:
    from prism_iac.forge import PullRequests

__all__ = ["deploy", "make", "remove", "sweep"]


def make(mark: Mark) -> str:
    """Make a stack with its file, or set the end of one that is there anew; gives its name. Deploys nothing.

    Raises:
        InvalidInput: The stack file that it extends is wrong.
        Conflict: That one is protected, or a stack of this name is there without a mark.
    """
    name = name_of(mark.of, mark.pull_request)
    if is_there(name):
        read_mark(name)
        write_stack_file(_project(), mark)
    else:
        write_stack_file(_project(), mark)
        copied = ("--copy-config-from", mark.of) if is_there(mark.of) else ()
        ask_pulumi("stack", "init", "--no-select", *copied, stack=name, by_hand=BY_HAND)
    # Before the update: a sweep that looks meanwhile finds the later end.
    write_mark(name, mark)
    return name


def deploy(stack: str) -> None:
    """Update a stack that is marked.

    Raises:
        Conflict: It failed.
    """
    _run("up", stack)


def remove(stack: str) -> bool:
    """Destroy a stack with all that it has, its configuration and its file; False where there is none.

    Raises:
        Conflict: It is not marked, or it could not be destroyed.
    """
    if not is_there(stack):
        remove_stack_file(_project(), stack)
        return False
    read_mark(stack)
    _run("destroy", stack)
    ask_pulumi("stack", "rm", "--yes", stack=stack, by_hand=BY_HAND)
    remove_stack_file(_project(), stack)
    return True


def sweep(now: datetime, pull_requests: PullRequests | None, say: Callable[[str], None]) -> bool:
    """Remove every marked stack whose time is over, and go on where one fails.

    Args:
        now: Aware.
        pull_requests: Who knows which are closed: their stacks go too. None asks nobody.
        say: Is told a line for each marked stack.

    Returns:
        Whether everything that was to go is gone.
    """
    are_gone = True
    stacks = marked_stacks()
    if not stacks:
        say("there is no ephemeral stack")
    for stack in stacks:
        try:
            mark = read_mark(stack)
            why = _why_it_ends(mark, now, pull_requests)
            if why:
                remove(stack)
            say(f"{stack}: removed, {why}" if why else f"{stack}: kept until {moment(mark.expires)}")
        except PrismError as error:
            are_gone = False
            say(f"{stack}: not removed: {printable(error.message)}")
    return are_gone


def _why_it_ends(mark: Mark, now: datetime, pull_requests: PullRequests | None) -> str:
    if mark.has_ended(now):
        return f"its time was over at {moment(mark.expires)}"
    if pull_requests is not None and not pull_requests.is_open(mark.pull_request):
        return f"pull request {mark.pull_request} is closed"
    return ""


def _run(verb: str, stack: str) -> None:
    ended = run_pulumi(
        verb, "--yes", "--skip-preview", "--suppress-outputs", stack=stack, by_hand=BY_HAND, is_shown=True
    )
    if ended.returncode != 0:
        raise Conflict(
            f"`pulumi {verb}` of {stack} failed; see above",
            next_step="Run it again when the cause is gone: it goes on from here.",
        )


def _project() -> Path:
    return project_folder(Path.cwd(), BY_HAND)
