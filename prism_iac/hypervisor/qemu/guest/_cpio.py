"""Initial ramdisks: archives in the `newc` form, the same bytes for the same files.

Source: Linux `Documentation/driver-api/early-userspace/buffer-format.rst`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["write_ramdisk"]

_MAGIC: Final = b"070701"
_TRAILER: Final = "TRAILER!!!"
_ALIGNMENT: Final = 4
_EXECUTABLE: Final = 0o111


def write_ramdisk(root: Path, file: BinaryIO) -> None:
    """Write a folder as an archive.

    Entries are in the order of their paths; owner, group and times are zero; of a file's mode only counts
    whether somebody may execute it.
    """
    number = 0
    for number, path in enumerate(_below(root), start=1):  # the trailer goes on from there
        mode, content = _entry(path)
        _write(file, number, mode, path.relative_to(root).as_posix(), content)
    _write(file, number + 1, 0, _TRAILER, b"")


def _below(root: Path) -> Iterator[Path]:
    """Every path, a folder before what is in it."""
    for path in sorted(root.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)


def _entry(path: Path) -> tuple[int, bytes]:
    if path.is_symlink():
        return stat.S_IFLNK | 0o777, str(path.readlink()).encode()
    if path.is_dir():
        return stat.S_IFDIR | 0o755, b""
    executable = path.stat().st_mode & _EXECUTABLE
    return stat.S_IFREG | (0o755 if executable else 0o644), path.read_bytes()


def _write(file: BinaryIO, number: int, mode: int, name: str, content: bytes) -> None:
    encoded = name.encode() + b"\0"
    links, owner, group, time, device = 1, 0, 0, 0, 0
    fields = (
        *(number, mode, owner, group, links, time, len(content)),
        *(device, device, device, device, len(encoded), 0),
    )
    head = _MAGIC + b"".join(b"%08x" % field for field in fields) + encoded
    file.write(head + _padding(len(head)))
    file.write(content + _padding(len(content)))


def _padding(length: int) -> bytes:
    return bytes(-length % _ALIGNMENT)
