"""Finds and ends what a project has started, however far down and detached it is."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

__all__ = ["command_of", "end_processes", "end_processes_of", "processes_of"]


def processes_of(folder: Path) -> list[int]:
    """The living processes whose command line or environment names a folder, or that work in it.

    The engine's plugins have process groups of their own and backends leave their session, so neither
    groups nor parents lead to all of them. The folder of a test is unique, and all of them are told of it.
    """
    return [pid for pid in _pids() if pid != os.getpid() and _knows(pid, folder)]


def end_processes_of(folder: Path) -> None:
    """Kill them until none is left."""
    while pids := processes_of(folder):
        end_processes(pids)


def end_processes(pids: list[int]) -> None:
    """Kill processes, as a crash would."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def command_of(pid: int) -> str:
    """The command line of a process, its arguments one blank apart; empty when it has ended."""
    # A process may end at any moment.
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _knows(pid: int, folder: Path) -> bool:
    place = Path(f"/proc/{pid}")
    # A process that ends meanwhile, or belongs to somebody else, is not ours to end.
    with contextlib.suppress(OSError):
        if place.joinpath("cwd").readlink().is_relative_to(folder):
            return True
        # The folder itself or one below it, not one whose name is longer.
        named = re.compile(re.escape(os.fsencode(folder)) + rb"(?![\w.-])")
        return any(named.search(place.joinpath(file).read_bytes()) for file in ("cmdline", "environ"))
    return False
