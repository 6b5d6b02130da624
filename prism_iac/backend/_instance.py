"""One instance for each data folder: how it is started in the background, found, and stopped.

The instance holds a lock on `lock` as long as it lives, and tells of itself in `instance.json` while it is
ready. A file that outlived its process is recognised: nobody holds the lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from prism_iac._json import load_json
from prism_iac.backend._errors import AlreadyRunning, StartFailure
from prism_iac.backend._files import make_private_folder, write_public
from prism_iac.backend._settings import keep_settings, load_settings

__all__ = ["DATABASE_VARIABLE", "LOG_FILE", "Instance", "announced", "held_lock", "start", "status", "stop"]

LOG_FILE: Final = "backend.log"
DATABASE_VARIABLE: Final = "PRISM_IAC_BACKEND_DATABASE_URL"
"""Carries a database URL to the process in the background; arguments are seen by everyone."""

_INSTANCE_FILE: Final = "instance.json"
_LOCK_FILE: Final = "lock"
_LOCK_PATIENCE_SECONDS: Final = 0.3
"""Somebody who only looks whether the lock is held has it for a moment."""
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.02
_TAIL_BYTES: Final = 2000


@dataclass(frozen=True, slots=True)
class Instance:
    """A running instance, as `instance.json` tells of it.

    Attributes:
        started_at: RFC 3339.
        rest_url: The base URL of the REST API.
        control_address: Where agents reach the control stream, `host:port`.
        insecure_address: Where agents without certificates do, in clear; empty where they do not.
    """

    pid: int
    started_at: str
    version: str
    rest_url: str
    control_address: str
    insecure_address: str = ""


@contextmanager
def held_lock(data: Path) -> Iterator[None]:
    """The sole right to serve a data folder; it ends with the process at the latest.

    Raises:
        AlreadyRunning: Another process has it.
    """
    make_private_folder(data)
    with (data / _LOCK_FILE).open("w") as lock:
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while not _try_lock(lock.fileno()):
            if time.monotonic() >= deadline:
                found = status(data)
                place = f" at {found.rest_url} (process {found.pid})" if found is not None else ""
                raise AlreadyRunning(
                    f"a backend runs already{place}",
                    where=str(data),
                    next_step="Use it, or stop it with `prism-iac backend down`.",
                )
            time.sleep(_POLL_SECONDS)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def announced(data: Path, instance: Instance) -> Iterator[None]:
    """Tell of an instance while it is ready."""
    path = data / _INSTANCE_FILE
    write_public(path, json.dumps(asdict(instance), indent=2).encode() + b"\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def status(data: Path) -> Instance | None:
    """The instance that serves a data folder; None when none is ready there."""
    try:
        found = Instance(**load_json((data / _INSTANCE_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return found if _is_locked(data) else None


def _is_locked(data: Path) -> bool:
    try:
        with (data / _LOCK_FILE).open("r") as lock:
            return not _try_lock(lock.fileno())
    except FileNotFoundError:
        return False


def start(
    data: Path,
    *,
    database_url: str = "",
    insecure_port: int | None = None,
    empty_seconds: float | None = None,
) -> Instance:
    """Start an instance in the background and wait until it is ready.

    Args:
        data: Its folder; made where there is none.
        database_url: An SQLAlchemy URL, kept for later starts; empty for the kept one or SQLite.
        insecure_port: Where agents without certificates are let in, kept for later starts; 0 for nowhere, None
            for the kept one.
        empty_seconds: How long it stays without a request when nothing is left in it; None until it is stopped.

    Raises:
        AlreadyRunning: One serves the folder.
        StartFailure: It does not get ready; the message says why.
    """
    make_private_folder(data)
    if insecure_port is not None and not _is_locked(data):
        keep_settings(replace(load_settings(data), insecure_port=insecure_port))
    reading, writing = os.pipe()
    command = [sys.executable, "-P", "-m", "prism_iac.backend", str(data.absolute()), str(writing)]
    if empty_seconds is not None:
        command.append(str(empty_seconds))
    environment = {**os.environ, DATABASE_VARIABLE: database_url} if database_url else None
    with _open_log(data) as log:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=data,
            env=environment,
            pass_fds=(writing,),
            start_new_session=True,
        )
    os.close(writing)
    # A thread waits for the end, so that a caller that lives on is left no zombie.
    threading.Thread(target=process.wait, name="backend-reaper", daemon=True).start()
    with os.fdopen(reading, "rb") as pipe:
        said = _read_all(pipe.fileno())
    found = status(data) if said == b"ready" else None
    if found is not None:
        return found
    if said:
        kind, _, words = said.decode(errors="replace").partition(":")
        raise (AlreadyRunning if kind == AlreadyRunning.__name__ else StartFailure)(words)
    raise StartFailure(f"the backend ended before it was ready: {_tail(data)}", where=str(data / LOG_FILE))


def _open_log(data: Path) -> BinaryIO:
    descriptor = os.open(data / LOG_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "ab")


def _read_all(descriptor: int) -> bytes:
    """What the process in the background says until it closes its end."""
    said = b""
    deadline = time.monotonic() + _START_SECONDS
    while select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
        more = os.read(descriptor, 4096)
        if not more:
            break
        said += more
    return said


def _tail(data: Path) -> str:
    lines = (data / LOG_FILE).read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def stop(data: Path) -> bool:
    """Stop the instance of a data folder and wait for its end; False when none runs.

    Raises:
        StartFailure: It does not end.
    """
    found = status(data)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_locked(data):
        if time.monotonic() >= deadline:
            raise StartFailure(
                f"the backend (process {found.pid}) does not end",
                where=str(data),
                next_step=f"End it with `kill -9 {found.pid}`; the next start recovers.",
            )
        time.sleep(_POLL_SECONDS)
    return True
