"""The programs that the builder calls."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict

__all__ = ["run_tool"]

_LIMIT_SECONDS: Final = 900
_LAST_LINES: Final = 5


def run_tool(
    command: Sequence[str], folder: Path, *, environment: Mapping[str, str] | None = None, next_step: str
) -> bytes:
    """What a program prints.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: What it sees besides the environment of this process.
        next_step: What people do when it fails.

    Raises:
        Conflict: It is not there, fails, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603  # arguments of ours, no shell
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_LIMIT_SECONDS,
        )
    except FileNotFoundError as error:
        raise Conflict(f"the program {command[0]} is not here", next_step=next_step) from error
    except subprocess.TimeoutExpired as error:
        raise Conflict(
            f"{command[0]} did not end within {_LIMIT_SECONDS} seconds", next_step=next_step
        ) from error
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
        raise Conflict(f"{command[0]} failed: {' '.join(words)}", next_step=next_step)
    return done.stdout
