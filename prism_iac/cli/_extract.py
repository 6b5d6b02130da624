"""Unpacks a result archive, which others made, without letting it reach beyond its folder."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Final

from prism_iac.errors import Conflict, FailedClaim, VerificationFailure
from prism_iac.model import DamagedZip, opened_zip

__all__ = ["extract_archive", "require_empty"]

_MOST_ENTRIES: Final = 100_000
_MOST_BYTES: Final = 16 << 30
_BLOCK_BYTES: Final = 1 << 20
_PLAIN_KINDS: Final = frozenset({0, stat.S_IFREG, stat.S_IFDIR})


def require_empty(folder: Path) -> None:
    """Refuse a folder that has something in it.

    Raises:
        Conflict: It has.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise Conflict("the folder is not empty", where=str(folder), next_step="Name a new one.")


def extract_archive(archive: Path, folder: Path) -> None:
    """Write the files of a zip archive into an empty folder, without their modes.

    Refused: names that leave the folder, links, devices, what stands there twice, and more than fits the
    bounds. The sizes that an archive states are not believed.

    Raises:
        VerificationFailure: The archive is damaged or holds what is refused; files before that stay.
        OSError: The disk does not take it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left = _MOST_BYTES
    try:
        with opened_zip(archive) as opened:
            entries = opened.infolist()
            if len(entries) > _MOST_ENTRIES:
                raise _refused("entries", f"at most {_MOST_ENTRIES}", str(len(entries)))
            for entry in entries:
                place = folder / _checked_name(entry)
                if entry.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as source, place.open("xb") as target:
                    left = _copy(source, target, left)
    except DamagedZip as error:
        raise _refused("form", "a plain zip archive", "a damaged one") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise _refused("names", "different", "one that comes twice") from error


def _checked_name(entry: zipfile.ZipInfo) -> PurePosixPath:
    name = PurePosixPath(entry.filename)
    is_inside = bool(name.parts) and not name.is_absolute() and ".." not in name.parts
    if not is_inside or "\\" in entry.filename or not entry.filename.isprintable():
        raise _refused("name", "one below the folder", ascii(entry.filename))
    if stat.S_IFMT(entry.external_attr >> 16) not in _PLAIN_KINDS:
        raise _refused(f"kind of {entry.filename}", "a file or a folder", "a link or a device")
    return name


def _copy(source: IO[bytes], target: IO[bytes], left: int) -> int:
    while block := source.read(_BLOCK_BYTES):
        left -= len(block)
        if left < 0:
            raise _refused("size", f"at most {_MOST_BYTES} bytes", "more")
        target.write(block)
    return left


def _refused(claim: str, expected: str, found: str) -> VerificationFailure:
    return VerificationFailure(
        "the result archive is not unpacked",
        failed=[FailedClaim(claim, expected, found)],
        next_step="Look at it with a tool that you trust; whoever wrote the algorithm made it.",
    )
