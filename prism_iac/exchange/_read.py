"""Reads computations from a file of any layout, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prism_iac.exchange._csv import read_csv
from prism_iac.exchange._json import read_json
from prism_iac.exchange._row import Row

__all__ = ["read_rows"]

_FIRST_BYTES: Final = 4096


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, in its order; findings come with them and nothing is raised for them.

    The layout is told from the content: JSON begins with a brace or a bracket, everything else is CSV.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        begin = file.read(_FIRST_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    read = read_json if begin.startswith((b"[", b"{")) else read_csv
    with path.open(encoding="utf-8-sig", newline="") as text:
        yield from read(text, str(path))
