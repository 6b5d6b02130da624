"""`prism-iac export`: writes computations of a workspace in a layout of the platform."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._given import given
from prism_iac.cli._output import emit, printable, say
from prism_iac.cli._prism import Prism
from prism_iac.exchange import Layout

if TYPE_CHECKING:
    from prism_iac.exchange import Definition

__all__ = ["export"]


@given(Prism)
def export(
    prism: Prism,
    computations: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPUTATION]...", help="Names or ids; all without any.")
    ] = None,
    *,
    layout: Annotated[
        Layout, typer.Option(help="How it is laid out; `stack` is a stack file.")
    ] = Layout.BUNDLE,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; standard output without it."),
    ] = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="With the private keys of agents, in a file for you alone.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Export computations with their roles, assets and how their agents are secured.

    Users appear by id, in a stack file as people know them. Private keys are left out unless they are asked for;
    a stack file has no place for certificates, so it leaves out computations that need them.
    """
    from prism_iac.cli._files import PRIVATE, PUBLIC, require_absent, write_file
    from prism_iac.cli._lookup import by_name_or_id
    from prism_iac.exchange import export_definitions

    if with_keys and output is None:
        raise typer.BadParameter("private keys go to a file only: name one", param_hint="--output")
    if output is not None and not force:
        require_absent(output)
    names = computations or []
    if names:
        listed = list(prism.workspace.computations.list())
        names = [by_name_or_id(listed, name, what="computation").id for name in names]
    found = export_definitions(
        prism.workspace,
        only=names,
        with_samples=layout is Layout.BUNDLE,
        report=lambda line: say(printable(line)),
    )
    text = _stack_text(prism, found) if layout is Layout.STACK else _text(found, layout, with_keys=with_keys)
    if output is None:
        emit(text.rstrip("\r\n"))
    else:
        write_file(output, text.encode(), mode=PRIVATE if with_keys else PUBLIC, force=force)
        say(f"exported {len(found)} computations to {output}")


def _text(found: Sequence[Definition], layout: Layout, *, with_keys: bool) -> str:
    from prism_iac.exchange import write_definitions

    file = io.StringIO(newline="")
    write_definitions(found, layout, file, with_keys=with_keys)
    return file.getvalue()


def _stack_text(prism: Prism, found: Sequence[Definition]) -> str:
    from prism_iac.exchange import stack_file

    names = {user.id: user.email or user.username for user in prism.client.domains.members(prism.domain.id)}
    written = stack_file(
        found,
        environment="dev",
        workspace=prism.domain.name,
        endpoint=prism.endpoint,
        name_of=lambda user: names.get(user) or user,
    )
    for line in written.left_out:
        say(printable(line))
    return written.text
