"""Kills a process before one of its changes of files, so that a command can be cut off at each of them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

__all__ = ["die_before_change"]

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES: Final = frozenset(
    {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
)


def die_before_change(folder: Path, number: int) -> None:
    """From here on this process is killed before it changes a file below a folder for the n-th time.

    Whoever calls it is a process of its own. What counts is that a file is opened to be written, renamed or removed.

    Args:
        folder: The folder, absolute.
        number: Which change, from 1 on.
    """
    left = number

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if _is_change(event, arguments) and _is_below(folder, arguments[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def _is_change(event: str, arguments: tuple[Any, ...]) -> bool:
    # PEP 578: `open` tells path, mode and flags.
    return event in _CHANGES or (event == "open" and bool(arguments[2] & _WRITES))


def _is_below(folder: Path, path: object) -> bool:
    return isinstance(path, str | os.PathLike) and Path(path).absolute().is_relative_to(folder)
