"""Unpacks a dataset that came as a zip archive, within bounds.

Refused: names that leave the folder, links and devices, encryption, methods other than stored and deflated,
and archives that hold more than the limits allow. Bytes are counted as they come out: sizes that an archive
states are not believed.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from prism_iac.agent.server._file_name import problem_of_file_name
from prism_iac.model import DamagedZip, opened_zip

__all__ = ["BadArchiveError", "UnpackLimits", "unpack"]

_BLOCK_BYTES: Final = 1 << 20
_PLAIN_KINDS: Final = frozenset({0, stat.S_IFREG, stat.S_IFDIR})
_NO_BOMB_BYTES: Final = 64 << 20


class BadArchiveError(ValueError):
    """The archive is not unpacked; the text says why."""


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What an archive may hold.

    Attributes:
        entries: Files and folders.
        size_bytes: All files together, unpacked.
        ratio: How many times the archive's size that may be; small archives are not held to it.
    """

    entries: int
    size_bytes: int
    ratio: int

    def bytes_of(self, archive: Path) -> int:
        """How many bytes may come out of an archive."""
        return min(self.size_bytes, max(_NO_BOMB_BYTES, self.ratio * archive.stat().st_size))


def unpack(archive: Path, folder: Path, limits: UnpackLimits) -> int:
    """Write an archive's files into an empty folder; gives their bytes.

    What was written before an error stays there.

    Raises:
        BadArchiveError: It is damaged or holds what is refused.
        OSError: The disk does not take it.
    """
    try:
        with opened_zip(archive) as opened:
            entries = opened.infolist()
            _check(entries, limits)
            bounded = _Bounded(limits.bytes_of(archive))
            for entry in entries:
                place = folder.joinpath(*entry.filename.rstrip("/").split("/"))
                if entry.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as source, place.open("xb") as target:
                    _copy(source, target, bounded)
            return bounded.taken
    except DamagedZip as error:
        raise BadArchiveError(str(error)) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise BadArchiveError("two entries have the same name") from error


def _check(entries: Iterable[zipfile.ZipInfo], limits: UnpackLimits) -> None:
    for number, entry in enumerate(entries, start=1):
        if number > limits.entries:
            raise BadArchiveError(f"it holds more than {limits.entries} files")
        for part in entry.orig_filename.removesuffix("/").split("/"):
            problem = problem_of_file_name(part)
            if problem:
                raise BadArchiveError(f"the name of entry {number} {problem}")
        if stat.S_IFMT(entry.external_attr >> 16) not in _PLAIN_KINDS:
            raise BadArchiveError(f"entry {number} is a link or a device")


@dataclass(slots=True)
class _Bounded:
    """Counts what comes out."""

    most: int
    taken: int = 0

    def take(self, size: int) -> None:
        self.taken += size
        if self.taken > self.most:
            raise BadArchiveError(f"it holds more than the {self.most} bytes that may come out of it")


def _copy(source: IO[bytes], target: IO[bytes], bounded: _Bounded) -> None:
    while block := source.read(_BLOCK_BYTES):
        bounded.take(len(block))
        target.write(block)
