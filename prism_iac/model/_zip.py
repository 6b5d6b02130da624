"""Opens zip archives that strangers may have made."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

__all__ = ["DamagedZip", "damage_told", "open_zip", "opened_zip"]

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_DAMAGES: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    UnicodeDecodeError,
)
"""What the library raises of its own accord for archives that are none, or none that it reads."""


class DamagedZip(ValueError):
    """The archive cannot be read; the text says why."""


def open_zip(archive: Path | IO[bytes]) -> zipfile.ZipFile:
    """An archive whose entries are stored or deflated, in clear, and lie within it; to be closed.

    The names, kinds and sizes of entries are for the caller to look at.

    Raises:
        DamagedZip: It is none.
        OSError: The file cannot be read.
    """
    with damage_told(), ExitStack() as opening:
        opened = opening.enter_context(zipfile.ZipFile(archive))
        for number, entry in enumerate(opened.infolist(), start=1):
            _check(number, entry)
        opening.pop_all()
    return opened


@contextmanager
def damage_told() -> Iterator[None]:
    """Reads from an archive, whose damage may show then only.

    Raises:
        DamagedZip: It does.
    """
    try:
        yield
    except _DAMAGES as error:
        raise DamagedZip(f"not a valid zip file: {str(error) or 'it ends too early'}") from error


@contextmanager
def opened_zip(archive: Path | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """The archive of `open_zip`, while it is read; errors are those of both."""
    with open_zip(archive) as opened, damage_told():
        yield opened


def _check(number: int, entry: zipfile.ZipInfo) -> None:
    if entry.header_offset < 0:  # the library would seek there
        raise DamagedZip(f"entry {number} lies before the archive")
    if entry.flag_bits & _ENCRYPTED:
        raise DamagedZip(f"entry {number} is encrypted")
    if entry.compress_type not in _METHODS:
        raise DamagedZip(f"entry {number} is neither stored nor deflated")
