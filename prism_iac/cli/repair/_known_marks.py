"""Which marks stacks give: their states tell, and so do the copies of earlier ones that are at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from prism_iac._json import json_object
from prism_iac.cli.exchange._engine import backups_folder
from prism_iac.cli.repair._lock import state_folder
from prism_iac.cli.repair._review import project_name, short_name

if TYPE_CHECKING:
    from prism_iac.provider.repair import Marks, Services

__all__ = ["marks_of"]

_COPIES: Final = 100
"""How many of the newest copies of a stack's state are read for names that it had."""


def marks_of(given: Mapping[str, Services]) -> Marks:
    """The marks that stacks give, by all that is known of what they have and had."""
    from prism_iac.provider.repair import Marks

    marks, project, folder = Marks(), project_name(), state_folder()
    for stack, services in given.items():
        marks.add_stack(stack, project)
        state = services.state
        marks.add_resources([*state.resources, *(item.resource for item in state.pending)])
        for copy in _copies(short_name(stack), project, folder):
            marks.add_resources(copy)
    return marks


def _copies(stack: str, project: str, folder: Path | None) -> Iterator[list[dict[str, Any]]]:
    """What the stack had at earlier times: copies that commands kept, and the history of a state in a folder."""
    files = [*backups_folder().glob(f"{stack}-*.json")]
    if folder is not None:
        files += (folder / ".pulumi" / "history" / project / stack).glob("*.checkpoint.json")
    for file in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)[:_COPIES]:
        try:
            document = json_object(file.read_bytes()) or {}
        except OSError:
            continue
        state = document.get("deployment") or document.get("checkpoint", {}).get("latest") or {}
        yield state.get("resources") or []
