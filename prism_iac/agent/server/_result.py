"""The result of a run: one archive, made once, kept on disk.

Source: cocos-grpc.md sections 2.4 and 4.4.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.agent.server._refused import RunFailed
from prism_iac.model import archive_folder

__all__ = ["StoredResult", "store_result"]

_MOST_BYTES: Final = (1 << 32) - (1 << 26)
_MOST_FILES: Final = (1 << 16) - 1
"""Bounds of a zip file without the 64-bit extension (APPNOTE 6.3.10 section 4.4.1.4), headers allowed for."""


@dataclass(frozen=True, slots=True)
class StoredResult:
    """An archive that consumers fetch.

    Attributes:
        sha3_256: Of the archive's bytes, 32 bytes.
    """

    path: Path
    sha3_256: bytes
    size_bytes: int


def store_result(folder: Path, archive: Path, most_bytes: int) -> StoredResult:
    """Write the folder's deterministic archive.

    Args:
        folder: What the algorithm left.
        archive: Where to.
        most_bytes: Of the files together; a zip file without the 64-bit extension has bounds of its own.

    Raises:
        RunFailed: The algorithm put something else in the folder's place, or left too much in it.
        OSError: The disk does not take it.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise RunFailed("the algorithm left no folder results/")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    if len(files) > _MOST_FILES:
        raise RunFailed(f"the algorithm left more than {_MOST_FILES} files in results/")
    most_bytes = min(most_bytes, _MOST_BYTES)
    if sum(file.stat().st_size for file in files) > most_bytes:
        raise RunFailed(f"the algorithm left more than {most_bytes} bytes in results/")
    digest = hashlib.sha3_256()
    with archive.open("wb") as file:
        for block in archive_folder(folder):
            file.write(block)
            digest.update(block)
    return StoredResult(archive, digest.digest(), archive.stat().st_size)
