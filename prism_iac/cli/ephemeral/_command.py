"""The commands: they read arguments and the clock, and say what was done."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._help import example
from prism_iac.cli._output import emit, moment
from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.cli.ephemeral._mark import Mark

__all__ = ["app"]

T = TypeVar("T")

app: Final = typer.Typer(help="A stack of its own for a pull request, with an end.", no_args_is_help=True)

Base = Annotated[str, typer.Argument(metavar="STACK", help="The stack that it is made after.")]
Number = Annotated[
    int | None,
    typer.Option(
        "--pull-request", metavar="NUMBER", min=1, help="Whose it is; that of the job when left out."
    ),
]
TimeToLive = Annotated[
    str,
    typer.Option("--ttl", metavar="DURATION", help="When it may be swept away, such as 12h or 3d from now."),
]


@app.command(
    epilog=example("prism-iac ephemeral make dev --pull-request 12", "prism-iac plan --stack dev-pr-12")
)
def make(base: Base, *, pull_request: Number = None, ttl: TimeToLive = "24h") -> None:
    """Make the stack of a pull request, and deploy nothing.

    `stacks/STACK-pr-NUMBER.yaml` extends the stack file; the configuration is copied. A tag marks the stack and
    says when its time is over; made again, it has its time anew. Nothing is made after a protected stack.
    """
    from prism_iac.cli.ephemeral._life import make as make_stack

    mark = _mark(base, pull_request, ttl)
    emit(f"{make_stack(mark)}: may be swept away from {moment(mark.expires)}")


@app.command(epilog=example("prism-iac ephemeral up dev --pull-request 12 --ttl 3d"))
def up(base: Base, *, pull_request: Number = None, ttl: TimeToLive = "24h") -> None:
    """Make the stack of a pull request as `make` does, and deploy it."""
    from prism_iac.cli.ephemeral._life import deploy
    from prism_iac.cli.ephemeral._life import make as make_stack

    mark = _mark(base, pull_request, ttl)
    name = make_stack(mark)
    deploy(name)
    emit(f"{name}: deployed, may be swept away from {moment(mark.expires)}")


@app.command(epilog=example("prism-iac ephemeral down dev --pull-request 12"))
def down(base: Base, *, pull_request: Number = None) -> None:
    """Destroy the stack of a pull request, and remove it with its configuration and its file."""
    from prism_iac.cli.ephemeral._life import remove
    from prism_iac.cli.ephemeral._mark import name_of

    name = name_of(base, _number(pull_request))
    emit(f"{name}: removed" if remove(name) else f"{name}: there is none")


@app.command(epilog=example("prism-iac ephemeral sweep", "prism-iac ephemeral sweep --closed"))
def sweep(
    *,
    closed: Annotated[
        bool,
        typer.Option("--closed", help="Also those of closed pull requests, which the forge is asked for."),
    ] = False,
) -> None:
    """Remove every ephemeral stack whose time is over, and say of each what became of it.

    Only stacks with the mark are looked at. One that cannot be removed keeps no other from it; then the exit code
    is 1.
    """
    from prism_iac.cli.ephemeral._life import sweep as sweep_stacks
    from prism_iac.forge import pull_requests_of

    if not sweep_stacks(datetime.now(UTC), pull_requests_of(os.environ) if closed else None, emit):
        raise typer.Exit(ExitCode.REFUSED)


def _mark(base: str, pull_request: int | None, ttl: str) -> Mark:
    from prism_iac.cli.ephemeral._mark import Mark
    from prism_iac.model import parse_duration
    from prism_iac.model.stack import parse_name

    return Mark(
        of=_parsed("STACK", parse_name, base),
        pull_request=_number(pull_request),
        expires=datetime.now(UTC).replace(microsecond=0) + _parsed("--ttl", parse_duration, ttl),
    )


def _parsed(argument: str, parse: Callable[[str], T], text: str) -> T:
    from prism_iac.model import Refusal

    try:
        return parse(text)
    except Refusal as refusal:
        raise InvalidInput([Finding(path=argument, message=refusal.message, fix=refusal.fix)]) from refusal


def _number(given: int | None) -> int:
    from prism_iac.forge import pull_request_of

    return given or pull_request_of(os.environ)
