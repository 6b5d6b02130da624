"""`prism-iac stack`: what a stack file comes to, and where it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from prism_iac.cli._help import example
from prism_iac.cli._output import AsJson, emit, emit_json, printable

if TYPE_CHECKING:
    from prism_iac.spec import Origin, Setting

__all__ = ["app"]

app: Final = typer.Typer(help="What a stack file comes to, and which file says so.", no_args_is_help=True)

StackFile = Annotated[
    Path, typer.Option("--stack", metavar="FILE", exists=True, dir_okay=False, help="The stack file.")
]


@app.command(epilog=example("prism-iac stack explain vms.trainer --stack stacks/dev.yaml"))
def explain(
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="Only values below it.")] = "",
    *,
    stack: StackFile,
    as_json: AsJson = False,
) -> None:
    """Say of every value which file and line sets it, and what it overrides."""
    from prism_iac.cli._as_documents import origin_document
    from prism_iac.spec import explain as explain_stack

    origins = explain_stack(stack, path)
    if as_json:
        emit_json([origin_document(origin) for origin in origins])
        return
    for origin in origins:
        for line in _lines(origin):
            emit(printable(line))


@app.command(epilog=example("prism-iac stack show --stack stacks/dev.yaml"))
def show(*, stack: StackFile) -> None:
    """Print a stack file with what it extends and includes joined in and every entry made, as YAML."""
    import yaml

    from prism_iac.spec import composed

    emit(yaml.safe_dump(composed(stack), sort_keys=False, allow_unicode=True).rstrip("\n"))


def _lines(origin: Origin) -> list[str]:
    *overridden, counts = origin.settings
    said = "removed" if counts.value is None else _text(counts.value)
    return [
        f"{origin.path}: {said}  {_place(counts)}",
        *(f"  overrides {_text(item.value)}  {_place(item)}" for item in reversed(overridden)),
    ]


def _place(setting: Setting) -> str:
    if setting.template is None:
        return str(setting.place)
    return f"{setting.place} (template {setting.template}, used at {setting.used_at})"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
