"""How long the backend takes from its start to its first answer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, compare, seconds_of
from prism_iac.backend import start, status, stop

__all__ = ["bare_server", "measure"]

_AT_MOST_SECONDS: Final = 1.0


def measure(*, quick: bool) -> Iterator[Figure]:
    """The first start of a folder, a later one, and the start of a bare FastAPI route."""
    first: list[float] = []
    later: list[float] = []
    cpu: list[float] = []
    bare: list[float] = []
    _start_bare()  # brings the files into memory
    for _ in range(2 if quick else 9):
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder)
            first.append(_start(data))
            stop(data)
            later.append(_start(data))
            cpu.append(_cpu_seconds(data))
            stop(data)
        bare.append(seconds_of(_start_bare))
    yield Figure("backend: first start to ready", "s", tuple(first), _AT_MOST_SECONDS)
    yield Figure("backend: later start to ready", "s", tuple(later), _AT_MOST_SECONDS)
    yield Figure("backend: CPU time of a start", "s", tuple(cpu), _AT_MOST_SECONDS)
    yield compare("backend: later start beside a bare FastAPI route", later, bare)


def _start(data: Path) -> float:
    return seconds_of(lambda: start(data))


def _cpu_seconds(data: Path) -> float:
    """What the instance of a folder has used so far: what its start costs whatever else the machine does."""
    instance = status(data)
    assert instance is not None
    fields = Path(f"/proc/{instance.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def bare_server() -> Iterator[str]:
    """The bare route, served; gives its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare"], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _start_bare() -> None:
    with bare_server():
        pass
