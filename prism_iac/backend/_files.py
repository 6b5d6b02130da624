"""Files of the data folder, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["make_private_folder", "write_private", "write_public"]

_OWNER_ONLY: Final = 0o600
_READABLE: Final = 0o644


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may look into."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    _write(path, content, _OWNER_ONLY)


def write_public(path: Path, content: bytes) -> None:
    """Write a file that others may read."""
    _write(path, content, _READABLE)


def _write(path: Path, content: bytes, mode: int) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
