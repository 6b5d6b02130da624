"""What a project needs besides the CLI: a folder for state, a passphrase, and a file to source."""

from __future__ import annotations

import os
import secrets
import shlex
from contextlib import suppress
from pathlib import Path

from prism_iac.toolchain._pulumi import Pulumi

__all__ = ["prepare_project"]


def prepare_project(project: Path, pulumi: Pulumi) -> Path:
    """Make `.prism/` in a project ready for its CLI; gives the file to source.

    The state folder and the passphrase are made once and never changed; whoever loses the passphrase
    loses the secrets in the state. The file to source is written each time.
    """
    folder = project.absolute() / ".prism"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "state").mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        _write_private(folder / "passphrase", secrets.token_urlsafe(32))
    script = folder / "env.sh"
    script.write_text(_script(pulumi, project), encoding="utf-8")
    return script


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _script(pulumi: Pulumi, project: Path) -> str:
    exports = [
        f"export {name}={shlex.quote(value)}" for name, value in sorted(pulumi.settings(project).items())
    ]
    lines = [
        "# Source this file to run `pulumi` in this project. Written by `python -m prism_iac.toolchain`.",
        f'export PATH={shlex.quote(pulumi.path(""))}:"$PATH"',
        *exports,
    ]
    return "\n".join(lines) + "\n"
