"""Processes by an identity that is never mistaken, and the end of all that belong to one.

Source: proc(5) for /proc/<pid>/stat; pidfd_open(2) for signals that cannot hit a recycled number.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict

__all__ = ["ProcessIdentity", "end_processes", "identity_of", "is_alive"]

_FIRST_PAUSE_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.05
_KILLED_WITHIN_SECONDS: Final = 10.0
_DEAD_STATES: Final = (b"Z", b"X")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process for all time: its number may be given again, but not with the same start.

    Attributes:
        pid: The process.
        started: Clock ticks from the boot to its start.
        boot: Which boot of the machine.
    """

    pid: int
    started: int
    boot: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One living process as the kernel lists it."""

    process: ProcessIdentity
    parent: int
    session: int


def identity_of(pid: int) -> ProcessIdentity | None:
    """The identity of a living process; None when there is none of this number."""
    entry = _read_entry(pid, _boot())
    return entry.process if entry is not None else None


def is_alive(process: ProcessIdentity) -> bool:
    """Whether it lives; one that has ended but was not waited for does not."""
    return identity_of(process.pid) == process


def end_processes(leader: ProcessIdentity, *, grace_seconds: float) -> None:
    """End a session and all that descends from it; returns when nothing is left.

    Its members are asked by SIGTERM; what lives after the grace is killed.

    Args:
        leader: The leader of the session, alive or not.
        grace_seconds: How long they may take to end by themselves.

    Raises:
        Conflict: They cannot be signalled, or do not end although they are killed.
    """
    family: frozenset[_Entry] = frozenset()
    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, _KILLED_WITHIN_SECONDS)):
        deadline = time.monotonic() + seconds
        pause = _FIRST_PAUSE_SECONDS
        signalled: set[ProcessIdentity] = set()
        while family := _family(leader, family):
            for entry in family:
                is_meant = number == signal.SIGKILL or entry.session == leader.pid
                if is_meant and entry.process not in signalled:
                    _signal(entry.process, number)
                    signalled.add(entry.process)
            if time.monotonic() >= deadline:
                break
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        else:
            return
    left = ", ".join(str(entry.process.pid) for entry in family)
    raise Conflict(f"the processes {left} do not end", next_step="End them by hand, then run this again.")


def _family(leader: ProcessIdentity, known: frozenset[_Entry]) -> frozenset[_Entry]:
    """The living processes that are of a session, were known to belong to it, or descend from either.

    Whoever descends from the session may have begun another, in which an orphan is found by nothing else.
    """
    boot = _boot()
    if boot != leader.boot:
        return frozenset()
    numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    entries = [entry for number in numbers if (entry := _read_entry(number, boot))]
    ours = {leader, *(entry.process for entry in known)}
    recycled = {entry.process.pid for entry in entries if entry.process not in ours}
    sessions = {leader.pid, *(entry.session for entry in known)} - recycled
    found = {entry for entry in entries if entry.process in ours or entry.session in sessions}
    while True:
        parents = {entry.process.pid for entry in found}
        descendants = {entry for entry in entries if entry.parent in parents} - found
        if not descendants:
            return frozenset(found)
        found |= descendants


def _signal(process: ProcessIdentity, number: signal.Signals) -> None:
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # The handle keeps to one process; whether it is the one that is meant shows after it is open.
        if is_alive(process):
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Conflict(
            f"the process {process.pid} belongs to another user",
            next_step="Run this as the user who made the VM.",
        ) from error
    finally:
        os.close(handle)


def _read_entry(pid: int, boot: str) -> _Entry | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None  # it has ended
    # The name in parentheses may hold anything; after it: state, parent, group, session, ..., start (field 22).
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in _DEAD_STATES:
        return None
    return _Entry(ProcessIdentity(pid, int(fields[19]), boot), int(fields[1]), int(fields[3]))


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
