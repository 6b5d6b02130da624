"""The Pulumi engine of one stack, driven through its command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_iac._json import json_object
from prism_iac.cli._files import PRIVATE, write_file
from prism_iac.cli._output import printable, say
from prism_iac.cli._pulumi import CHOOSE_A_STACK, ask_pulumi, project_folder, run_pulumi
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.exchange import Planned

__all__ = ["PulumiEngine", "backups_folder"]


class PulumiEngine:
    """Asks the engine of one stack.

    Args:
        stack: The stack's name; the selected one without it.
    """

    def __init__(self, stack: str | None) -> None:
        self._stack = stack

    def preview(self) -> list[Planned]:
        """What an update would do."""
        from prism_iac.exchange import Planned

        answer = self._run("preview", "--json")
        document = json_object(answer.stdout) or {}
        if answer.returncode != 0:
            said = [
                str(item.get("message", "")).strip()
                for item in document.get("diagnostics", [])
                if item.get("severity") == "error"
            ]
            words = "\n".join(filter(None, said)) or answer.stderr
            raise Conflict(f"`pulumi preview` failed:\n{printable(words, keep_lines=True).strip()}")
        return [
            Planned(step["op"], step["urn"], step.get("newState") or step.get("oldState") or {})
            for step in document.get("steps", [])
        ]

    def make_only(self, urns: Iterable[str]) -> None:
        """Make these resources and no others."""
        targets = [argument for urn in urns for argument in ("--target", urn)]
        self._do("up", "--yes", "--skip-preview", *targets)

    def export(self, *, shows_secrets: bool = False) -> dict[str, Any]:
        """The state as it is; secrets encrypted, or in plain for what rewrites it."""
        return json_object(self._do("stack", "export", *(["--show-secrets"] if shows_secrets else []))) or {}

    def keep(self, state: Mapping[str, Any]) -> None:
        """Write a state to a file of its own that nobody else may read, and say where."""
        folder = backups_folder()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.stack_name}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.json"
        write_file(path, json.dumps(state, indent=2).encode(), mode=PRIVATE, force=False)
        say(f"the state as it was is in {path}")

    def replace_state(self, deployment: Mapping[str, Any]) -> None:
        """Put another state in its place."""
        self._do("stack", "import", text=json.dumps(deployment))

    @property
    def stack_name(self) -> str:
        """The name of the stack."""
        return self._stack or self._do("stack", "--show-name").strip()

    def _do(self, *arguments: str, text: str | None = None) -> str:
        return ask_pulumi(*arguments, stack=self._stack, by_hand=CHOOSE_A_STACK, text=text)

    def _run(self, *arguments: str, text: str | None = None) -> Any:
        return run_pulumi(*arguments, stack=self._stack, by_hand=CHOOSE_A_STACK, text=text)


def backups_folder() -> Path:
    """Where the copies of earlier states of the current project lie."""
    return project_folder(Path.cwd(), CHOOSE_A_STACK) / ".prism" / "backups"
