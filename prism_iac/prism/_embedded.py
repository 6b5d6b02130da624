"""Finds the embedded backend of a data folder, and starts it.

The backend tells of itself in `<data>/backend/instance.json` while it runs. A file that outlived its
process is recognised: the process is gone, or nobody answers.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from prism_iac.errors import Conflict
from prism_iac.prism._accounts import Accounts
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed, decode
from prism_iac.prism._scrub import shown

__all__ = ["Embedded", "find_embedded", "start_embedded"]

_READY_SECONDS: Final = 2.0
_START_SECONDS: Final = 60.0
_OK: Final = 200


@dataclass(frozen=True)
class Embedded:
    """An embedded backend that answers.

    A context manager: what its accounts opened is closed with it.

    Attributes:
        data: The data folder; the backend's own folder is `backend` in it.
        endpoint: The base URL of its REST API.
        control_address: Where agents reach its control stream, `host:port`.
        pid: Its process.
    """

    data: Path
    endpoint: str
    control_address: str
    pid: int

    @cached_property
    def accounts(self) -> Accounts:
        """Its users and workspaces."""
        return Accounts(self.data / "backend", self.endpoint)

    def close(self) -> None:
        """Close the connections of the accounts."""
        self.accounts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def find_embedded(data: Path) -> Embedded | None:
    """The backend that serves a data folder; None when none answers."""
    try:
        fields = Fields(decode((data / "backend" / "instance.json").read_bytes()), "an instance")
        embedded = Embedded(
            data=data,
            endpoint=fields.identity("rest_url"),
            control_address=fields.identity("control_address"),
            pid=int(fields.identity("pid")),
        )
    except (OSError, Malformed, ValueError):
        return None
    return embedded if _lives(embedded.pid) and _is_ready(embedded.endpoint) else None


def start_embedded(data: Path) -> Embedded:
    """The backend that serves a data folder, started unless it runs already.

    Any number of callers may ask at once: one of them starts it, the others wait and find it. It ends by
    itself when nothing is left in it.

    Raises:
        Conflict: It does not start; the message holds what it said.
    """
    with _one_at_a_time(data):
        return find_embedded(data) or _start(data)


@contextmanager
def _one_at_a_time(data: Path) -> Iterator[None]:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(data: Path) -> Embedded:
    folder = str(data / "backend")
    command = [sys.executable, "-m", "prism_iac.cli", "backend", "up", "--until-empty", "--data", folder]
    # A file, not a pipe: the backend lives on and may keep its end of a pipe open.
    with tempfile.TemporaryFile() as said:
        try:
            code = subprocess.run(  # noqa: S603  # our own interpreter and module, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                timeout=_START_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise _not_started(data, f"nothing happened within {_START_SECONDS:.0f} s") from error
        said.seek(0)
        words = said.read().decode("utf-8", errors="replace")
    embedded = find_embedded(data)
    if embedded is None:
        raise _not_started(data, shown(words) or f"it ended with code {code}")
    return embedded


def _not_started(data: Path, why: str) -> Conflict:
    return Conflict(
        f"the embedded backend does not start: {why}",
        where=str(data / "backend"),
        next_step="Run `prism-iac backend run` to see it fail, and look at `backend.log` in its folder.",
    )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        # It lives, and belongs to somebody else.
        return True
    return True


def _is_ready(endpoint: str) -> bool:
    """Whether a server answers at the endpoint and calls itself ready."""
    import http.client

    try:
        url = urlsplit(endpoint)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_READY_SECONDS)
        with closing(connection):
            connection.request("GET", "/ready")
            return connection.getresponse().status == _OK
    except (OSError, ValueError, http.client.HTTPException):
        return False
