"""A PostgreSQL server on a temporary folder, where the machine has the program."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

UNPRIVILEGED_USER = "nobody"
START_SECONDS = 30.0
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; None when there is none."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@contextmanager
def postgres_server(binaries: Path, *, is_durable: bool = False) -> Iterator[str]:
    """A server on a temporary folder; gives the URL of its maintenance database."""
    # Not below pytest's own folder, which only its user may enter.
    with tempfile.TemporaryDirectory(prefix="prism-postgres-") as name:
        yield from _serve(binaries, Path(name), () if is_durable else QUICK)


def make_database(url: str) -> str:
    """The URL of a fresh database on the server of another one."""
    import psycopg

    name = f"d{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{url.rpartition('/')[0]}/{name}"


def _serve(binaries: Path, folder: Path, settings: Sequence[str]) -> Iterator[str]:
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        as_user = {"user": UNPRIVILEGED_USER}
        shutil.chown(folder, UNPRIVILEGED_USER)
    data = folder / "data"
    port = _free_port()
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "prism", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        **as_user,
    )
    options = " ".join(f"-c {setting}" for setting in (*settings, "max_connections=200", f"port={port}"))
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", folder, "-h", "127.0.0.1", *options.split()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **as_user,
    )
    url = f"postgresql://prism@127.0.0.1:{port}/postgres"
    try:
        _wait_until_it_answers(url)
        yield url
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(url: str) -> None:
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=1).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
