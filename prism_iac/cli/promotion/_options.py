"""What the commands about locks and promotions are given alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._lookup import choices_of
from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.spec import Stack, StackComputation

__all__ = ["StackPath", "computations_of"]

StackPath = Annotated[
    Path,
    typer.Option("--stack", metavar="FILE", exists=True, dir_okay=False, help="The stack file."),
]


def computations_of(stack: Stack, names: Sequence[str]) -> Mapping[str, StackComputation]:
    """The computations of these names; all without any.

    Raises:
        InvalidInput: There is none of a name.
    """
    missing = [name for name in names if name not in stack.computations]
    if missing:
        raise InvalidInput(
            Finding(
                *stack.origin("computations"),
                path="computations",
                message=f'there is no computation "{name}"',
                fix=choices_of(name, stack.computations),
            )
            for name in missing
        )
    return {name: item for name, item in stack.computations.items() if not names or name in names}
