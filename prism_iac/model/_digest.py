"""SHA3-256 of what participants bring: bytes, a file, or a folder as its deterministic archive.

Source: prism-rest.md D25; cocos-grpc.md section 4.4 (the archive of agents from 0.9 on).
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["archive_folder", "sha3_256", "sha3_256_of_path"]

_BLOCK_BYTES: Final = 1 << 20


def sha3_256(data: bytes) -> bytes:
    """The 32 bytes of the SHA3-256 digest (FIPS 202)."""
    return hashlib.sha3_256(data).digest()


def sha3_256_of_path(path: Path) -> bytes:
    """The SHA3-256 digest of a file's bytes, or of a folder's deterministic archive.

    Raises:
        OSError: The path cannot be read.
    """
    digest = hashlib.sha3_256()
    for block in archive_folder(path) if path.is_dir() else _blocks(path):
        digest.update(block)
    return digest.digest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


# The archive is the one that Go's archive/zip writes for stored entries with a zero modification time.
_LOCAL_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL_HEADER: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END_RECORD: Final = struct.Struct("<4sHHHHIIH")
_DESCRIPTOR: Final = struct.Struct("<4sIII")
_VERSION_NEEDED: Final = 20
_MADE_BY_UNIX: Final = 0x0314
_FLAG_DESCRIPTOR: Final = 0x0008
_FLAG_UTF8: Final = 0x0800
_ZERO_TIME: Final = 0x0000
_ZERO_DATE: Final = 0xEC21
_EXTENDED_TIMESTAMP: Final = struct.pack("<HHBI", 0x5455, 5, 1, 0)


def archive_folder(folder: Path) -> Iterator[bytes]:
    """The bytes of a folder's deterministic archive, block by block.

    Regular files only, stored, sorted by full path, without times; the file mode is part of it. Memory
    stays flat whatever the size of the files.

    Raises:
        OSError: A file cannot be read.
    """
    offset = 0
    directory: list[bytes] = []
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    for path in sorted(files, key=lambda item: str(item).encode()):
        name = path.relative_to(folder).as_posix().encode()
        flags = _FLAG_DESCRIPTOR | (0 if name.isascii() else _FLAG_UTF8)
        header = _LOCAL_HEADER.pack(
            b"PK\x03\x04",
            _VERSION_NEEDED,
            flags,
            0,
            _ZERO_TIME,
            _ZERO_DATE,
            0,
            0,
            0,
            len(name),
            len(_EXTENDED_TIMESTAMP),
        )
        yield header + name + _EXTENDED_TIMESTAMP
        crc, size = 0, 0
        for block in _blocks(path):
            crc = zlib.crc32(block, crc)
            size += len(block)
            yield block
        yield _DESCRIPTOR.pack(b"PK\x07\x08", crc, size, size)
        mode = stat.S_IFREG | stat.S_IMODE(path.stat().st_mode)
        entry = _CENTRAL_HEADER.pack(
            b"PK\x01\x02", _MADE_BY_UNIX, _VERSION_NEEDED, flags, 0, _ZERO_TIME, _ZERO_DATE, crc, size, size,
            len(name), len(_EXTENDED_TIMESTAMP), 0, 0, 0, mode << 16, offset,
        )  # fmt: skip
        directory.append(entry + name + _EXTENDED_TIMESTAMP)
        offset += len(header) + len(name) + len(_EXTENDED_TIMESTAMP) + size + _DESCRIPTOR.size
    central = b"".join(directory)
    yield central
    yield _END_RECORD.pack(b"PK\x05\x06", 0, 0, len(directory), len(directory), len(central), offset, 0)
