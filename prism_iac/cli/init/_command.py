"""Writes the files of a platform repository."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from prism_iac.cli._output import emit
from prism_iac.errors import Conflict, Finding, InvalidInput

__all__ = ["init"]

_TEMPLATE: Final = Path(__file__).with_name("template")
_FORGES: Final = Path(__file__).with_name("forges")
_RENAMED: Final = {"gitignore": ".gitignore"}
"""A file of its own name would hold for the template itself."""

_PARTICIPANTS: Final = ("ada", "grace")
_WORKSPACE: Final = "research"


class ForgeKind(StrEnum):
    """Where the repository lives."""

    GITHUB = "github"
    GITLAB = "gitlab"


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", file_okay=False, help="Where to write; made if it is not there."),
    ] = Path(),
    *,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The project's name; the folder's when left out.")
    ] = None,
    workspace: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"What workspaces begin with; {_WORKSPACE} when left out."),
    ] = None,
    forge: Annotated[
        ForgeKind, typer.Option(help="Where it lives: whose workflow for pull requests it gets.")
    ] = ForgeKind.GITHUB,
) -> None:
    """Make a platform repository that previews at once.

    It has the program, stack files of three environments with a small computation, keys to try it with, the
    policy pack, a workflow for pull requests, and a README. On a terminal it asks for what no option says.
    Nothing that is there is replaced.
    """
    from prism_iac.cli._files import PRIVATE, PUBLIC, write_file

    names = {
        "PROJECT_NAME": _chosen("--name", name, "Name of the project", folder.resolve().name),
        "WORKSPACE_NAME": _chosen("--workspace", workspace, "Name that workspaces begin with", _WORKSPACE),
    }
    files = _filled(_TEMPLATE, names) | _filled(_FORGES / forge, names) | _schemas() | _keys()
    if there := sorted(str(path) for path in files if (folder / path).exists()):
        raise Conflict(
            f"{', '.join(there)} would be replaced",
            where=str(folder),
            next_step="Choose another folder, or move them away.",
        )
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        is_private = path.suffixes == [".pem"]
        write_file(folder / path, content, mode=PRIVATE if is_private else PUBLIC, force=False)
    emit(f"{folder}: {len(files)} files; README.md says what comes next")


def _chosen(option: str, given: str | None, question: str, otherwise: str) -> str:
    from prism_iac.model import Refusal
    from prism_iac.model.stack import parse_name

    text = given if given is not None else _asked(question, otherwise)
    try:
        return parse_name(text)
    except Refusal as refusal:
        raise InvalidInput([Finding(path=option, message=refusal.message, fix=refusal.fix)]) from refusal


def _asked(question: str, otherwise: str, ask: Callable[..., str] = typer.prompt) -> str:
    return ask(question, default=otherwise, err=True) if sys.stdin.isatty() else otherwise


def _filled(folder: Path, names: dict[str, str]) -> dict[Path, bytes]:
    files = {}
    for source in sorted(folder.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            path = source.relative_to(folder)
            text = source.read_text(encoding="utf-8")
            for placeholder, value in names.items():
                text = text.replace(placeholder, value)
            files[path.with_name(_RENAMED.get(path.name, path.name))] = text.encode()
    return files


def _schemas() -> dict[Path, bytes]:
    from prism_iac.model.schema import generate

    texts = generate(Path())
    paths = (Path("schemas", f"{name}.schema.json") for name in ("stack", "pulumi-config"))
    return {path: texts[path].encode() for path in paths}


def _keys() -> dict[Path, bytes]:
    from prism_iac.model.resources import KeyAlgorithm
    from prism_iac.pki import generate_key_pair

    files = {}
    for name in _PARTICIPANTS:
        pair = generate_key_pair(KeyAlgorithm.ED25519)
        files[Path("keys", f"{name}.pem")] = pair.private_pem
        files[Path("keys", f"{name}.pub.pem")] = pair.public_pem
    return files
