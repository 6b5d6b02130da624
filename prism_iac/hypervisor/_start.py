"""Starts a detached process behind a gate, so that none is ever unaccounted for.

A shell waits for a line on its standard input and becomes the command then. When the one who starts it dies
before the line, the shell reads the end of the pipe and ends: no process runs that no file tells of.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from prism_iac.errors import Conflict
from prism_iac.hypervisor._process import ProcessIdentity, identity_of

__all__ = ["GatedProcess", "start_behind_gate"]

# No core dumps (they would hold keys); what the VM writes is its owner's alone.
_GATE: Final = 'umask 077; ulimit -c 0; read -r go || exit 1; exec "$@" </dev/null'


@dataclass(frozen=True, slots=True)
class GatedProcess:
    """A process that waits to become what it is meant to be.

    Attributes:
        identity: Stays the same when the gate opens.
    """

    identity: ProcessIdentity
    _gate: IO[bytes]

    def open_gate(self) -> None:
        """Let it run; it lives on when this process ends."""
        try:
            self._gate.write(b"go\n")
            self._gate.flush()
        except BrokenPipeError as error:
            raise _ended_at_once() from error


@contextmanager
def start_behind_gate(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    console: Path,
    hand_down: Sequence[int],
) -> Iterator[GatedProcess]:
    """A process of its own session that waits; it ends when the context ends before the gate is opened.

    Args:
        command: What it becomes.
        environment: All of its environment.
        folder: Its working directory.
        console: The file that its output is appended to.
        hand_down: Descriptors that it keeps open.

    Raises:
        Conflict: The machine makes no further process.
    """
    try:
        with console.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  # the command is the driver's own
                ["/bin/sh", "-c", _GATE, "sh", *command],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=tuple(hand_down),
            )
    except OSError as error:
        raise Conflict(
            f"the process of the VM cannot be started: {os.strerror(error.errno or 0)}",
            next_step="Look at the limits of this machine and the space on its disk.",
        ) from error
    assert process.stdin is not None
    try:
        identity = identity_of(process.pid)
        if identity is None:
            raise _ended_at_once()
        yield GatedProcess(identity, process.stdin)
    finally:
        process.stdin.close()
        # Whoever waits for it keeps it from staying a zombie; nobody else needs to.
        threading.Thread(target=process.wait, name=f"vm-{process.pid}", daemon=True).start()


def _ended_at_once() -> Conflict:
    return Conflict("the process of the VM ended at once", next_step="Look at the VM's console.log.")
