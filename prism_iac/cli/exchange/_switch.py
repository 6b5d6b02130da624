"""`prism-iac switch`: moves the state of a stack between dynamic resources and the native plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._output import say
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.cli.exchange._engine import PulumiEngine

__all__ = ["switch"]

_NATIVE, _DYNAMIC = "native", "dynamic"


def switch(
    face: Annotated[str, typer.Argument(metavar=f"{_NATIVE}|{_DYNAMIC}", help="Where the resources go.")],
    *,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The Pulumi stack; the selected one when left out.")
    ] = None,
) -> None:
    """Move the resources of a stack to the native plugin, or back to dynamic resources.

    Change the program first: `with prism_iac.native_face():` around its resources, or without it. Ids stay and
    nothing is made anew. The state is kept in a file first, and put back unless the next preview is empty.
    """
    from prism_iac.cli.exchange._engine import PulumiEngine
    from prism_iac.provider.faces import Face, convert

    if face not in (_NATIVE, _DYNAMIC):
        raise typer.BadParameter(f'there is no face "{face}"; write {_NATIVE} or {_DYNAMIC}')
    engine = PulumiEngine(stack)
    before = engine.export()
    engine.keep(before)
    engine.replace_state(convert(engine.export(shows_secrets=True), to=Face(face)))
    try:
        _require_nothing_to_do(engine)
    except BaseException:
        engine.replace_state(before)
        raise
    say(f"the resources of {engine.stack_name} are {face} ones, and the preview is empty")


def _require_nothing_to_do(engine: PulumiEngine) -> None:
    left = [step for step in engine.preview() if step.op != "same"]
    if left:
        shown = ", ".join(f"{step.op} {step.name}" for step in left[:10])
        raise Conflict(
            f"the preview would not be empty: {shown}",
            next_step="Let the program declare its resources for that face, and deploy other changes first. "
            "The state is as it was.",
        )
