"""What an import of a long table takes: memory that does not grow with it, and time for each row."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, seconds_of
from prism_iac.backend import stop
from prism_iac.prism import Embedded, start_embedded

__all__ = ["measure"]

_ROWS: Final = 100_000
_QUICK_ROWS: Final = 10_000
_QUICK_MADE: Final = 200
_FEW: Final = 10
_MIB_MORE_AT_MOST: Final = 64.0
_MILLISECONDS: Final = 1000
_WORKSPACE: Final = "benchmark"
_READER: Final = "ada@example.com"
_COMMAND: Final = """
import atexit, re, sys
from prism_iac.cli import main
atexit.register(lambda: print(re.search(r"VmHWM.*", open("/proc/self/status").read())[0], file=sys.stderr))
main()
"""


def measure(*, quick: bool) -> Iterator[Figure]:
    """A dry run beside one of a few rows, and an import; the quick form makes the first rows only."""
    rows, made, rounds = (_QUICK_ROWS, _QUICK_MADE, 1) if quick else (_ROWS, _ROWS, 3)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        embedded = start_embedded(data)
        try:
            _prepare(embedded)
            few, many, some = (_table(Path(folder, f"{count}.csv"), count) for count in (_FEW, rows, made))
            least = [_import(few, data, "--dry-run") for _ in range(rounds)]
            most = [_import(many, data, "--dry-run") for _ in range(rounds)]
            more = tuple(high - low for high, low in zip(most, least, strict=True))
            yield Figure(f"dry run of {rows} rows: memory beside {_FEW}", "MiB", more, _MIB_MORE_AT_MOST)
            peaks: list[float] = []
            seconds = seconds_of(lambda: peaks.append(_import(some, data)))
            yield Figure(f"import of {made} rows: memory", "MiB", tuple(peaks))
            yield Figure(f"import of {made} rows: time per row", "ms", (seconds * _MILLISECONDS / made,))
        finally:
            embedded.close()
            stop(data / "backend")


def _prepare(embedded: Embedded) -> None:
    accounts = embedded.accounts
    domain = accounts.ensure_workspace(_WORKSPACE)
    accounts.ensure_user(_READER)
    accounts.ensure_member(domain.id, _READER)
    # A backend that has nothing in it ends by itself.
    accounts.as_admin().workspace(domain.id).computations.create(name="keeps it", description="up")


def _table(path: Path, rows: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "description", "result_consumers"])
        writer.writerows([f"computation-{number}", "one of many", _READER] for number in range(rows))
    return path


def _import(table: Path, data: Path, *options: str) -> float:
    """Run the command; gives the most memory that it held, MiB."""
    variables = {**os.environ, "PRISM_IAC_DATA": str(data), "PRISM_WORKSPACE": _WORKSPACE}
    ended = subprocess.run(
        [sys.executable, "-c", _COMMAND, "import", str(table), *options],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", ended.stderr)
    return int(kibibytes) / 1024
