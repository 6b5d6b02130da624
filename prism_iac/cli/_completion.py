"""What the shell offers for the name of a computation or a VM: nothing where Prism does not answer at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import typer

from prism_iac.cli._prism import EMBEDDED, Prism, choose_workspace

if TYPE_CHECKING:
    from prism_iac.prism import Workspace

__all__ = ["ComputationName", "ComputationOption", "VmName", "VmOption"]

_PATIENCE_SECONDS: Final = 1.0


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def _names_of(
    records: Callable[[Workspace], Iterable[_Named]],
) -> Callable[[typer.Context, str], list[str]]:
    """Completes a name from what is in the workspace that the line names so far."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        try:
            names = _fetch_names(context, records)
        except Exception:  # noqa: BLE001  # a shell has no place for an error in the middle of a line
            return []
        return sorted(name for name in names if name.startswith(incomplete))

    return complete


def _fetch_names(context: typer.Context, records: Callable[[Workspace], Iterable[_Named]]) -> set[str]:
    from prism_iac.prism import Limits

    chosen = context.params
    limits = Limits(
        connect_seconds=_PATIENCE_SECONDS, reply_seconds=_PATIENCE_SECONDS, total_seconds=_PATIENCE_SECONDS
    )
    with (
        Prism(chosen.get("endpoint") or EMBEDDED, acting_as=chosen.get("acting_as")) as prism,
        prism.connect(limits) as client,
    ):
        domain = choose_workspace(client, chosen.get("workspace_name"))
        return {record.name for record in records(client.workspace(domain.id))}


_COMPUTATIONS: Final = _names_of(lambda workspace: workspace.computations.list())
_VMS: Final = _names_of(lambda workspace: workspace.cvms.list())

ComputationName = Annotated[
    str, typer.Argument(metavar="COMPUTATION", help="Its name or id.", autocompletion=_COMPUTATIONS)
]
ComputationOption = Annotated[
    str | None,
    typer.Option(
        "--computation",
        metavar="NAME",
        help="Find the agent of this computation's latest run at Prism.",
        autocompletion=_COMPUTATIONS,
    ),
]
VmName = Annotated[str, typer.Argument(metavar="VM", help="Its name or id.", autocompletion=_VMS)]
VmOption = Annotated[
    str, typer.Option("--vm", metavar="NAME", help="The VM to run on: its name or id.", autocompletion=_VMS)
]
