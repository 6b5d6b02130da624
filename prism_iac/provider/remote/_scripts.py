"""The command line that runs one of our scripts on a host, whatever the shell of its user is."""

from __future__ import annotations

import shlex
from functools import cache
from importlib import resources

__all__ = ["command_line"]


def command_line(script: str, folder: str, *arguments: str) -> str:
    """What runs `scripts/<script>.sh` in a folder of the user's home, with these arguments; no secret may be one."""
    return shlex.join(["sh", "-c", _text(script), script, folder, *arguments])


@cache
def _text(script: str) -> str:
    scripts = resources.files(__package__) / "scripts"
    return "".join((scripts / f"{name}.sh").read_text(encoding="utf-8") for name in ("common", script))
