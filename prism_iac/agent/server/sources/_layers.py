"""Finds an algorithm or a dataset in the layers of an image; nothing else of it is unpacked.

Source: cocos-grpc.md section 4.5. The top layer comes first. Only regular files are looked at, whatever links and
devices there are; an entry whose name leaves the image ends the search. Sizes that an archive states are not
believed: what comes out of decompression is counted, and no header may make the reader take much at once.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final, cast

from prism_iac.agent.server._file_name import problem_of_file_name
from prism_iac.agent.server.sources._failure import FetchFailed

__all__ = [
    "Budget",
    "FoundFile",
    "Pick",
    "files_of",
    "is_algorithm",
    "is_dataset",
    "is_requirements",
    "unpack_layer",
]

_BLOCK_BYTES: Final = 1 << 20
_MOST_AT_ONCE: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_NO_PROGRAM: Final = (".py", ".wasm", ".wat", ".js", ".sh", ".csv", ".json", ".txt", ".md")
_PROGRAM_WORDS: Final = ("algorithm", "main", "run", "execute")
_DATA: Final = (".csv", ".json", ".txt", ".parquet", ".arrow", ".dat", ".zip", ".tar", ".gz", ".tgz")


@dataclass(slots=True)
class Budget:
    """What may still come out of all layers together."""

    size_bytes: int
    entries: int = 100_000

    def take(self, size: int) -> None:
        """Spend some bytes.

        Raises:
            FetchFailed: There are not as many.
        """
        self.size_bytes -= size
        if self.size_bytes < 0:
            raise FetchFailed("the image holds more bytes than are allowed")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file of a layer.

    Attributes:
        name: Relative, without `.` and `..`.
        mode: Its rights.
        place: Where its bytes were copied to.
    """

    name: str
    mode: int
    place: Path


Pick = Callable[[str, int], bool]
"""Whether a file is wanted, by the last part of its name, in lower case, and its rights."""


def is_algorithm(kind: str) -> Pick:
    """What picks the algorithm of a kind.

    Raises:
        FetchFailed: Nothing in an image is an algorithm of that kind.
    """
    picks: dict[str, Pick] = {
        "python": lambda name, _: name.endswith(".py"),
        "wasm": lambda name, _: name.endswith((".wasm", ".wat")),
        "bin": lambda name, mode: (
            not name.endswith(_NO_PROGRAM)
            and (any(word in name for word in _PROGRAM_WORDS) or mode & 0o111 != 0)
        ),
    }
    if kind not in picks:
        raise FetchFailed(f'an algorithm of the type "{kind}" cannot be taken out of an image')
    return picks[kind]


def is_requirements(name: str, _mode: int) -> bool:
    """Whether a file names the packages of a Python algorithm."""
    return name == "requirements.txt"


def is_dataset(name: str, _mode: int) -> bool:
    """Whether a file is data."""
    return name.endswith(_DATA)


def unpack_layer(layer: Path, folder: Path, budget: Budget) -> Path:
    """Decompress a layer to a tar archive in a folder; gives its path.

    Raises:
        FetchFailed: It is damaged, larger than allowed, or compressed in a way that is not known.
        OSError: The disk does not take it.
    """
    with layer.open("rb") as file:
        magic = file.read(4)
    if magic == _ZSTD:
        raise FetchFailed("a layer is compressed with zstd, which this agent does not read; use gzip")
    if not magic.startswith(_GZIP):
        return layer
    archive = folder / f"{layer.name}.tar"
    try:
        with gzip.open(layer) as packed, archive.open("xb") as target:
            while block := packed.read(_BLOCK_BYTES):
                budget.take(len(block))
                target.write(block)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FetchFailed("a layer is damaged") from error
    return archive


def files_of(archive: Path, pick: Pick, folder: Path, budget: Budget) -> Iterator[FoundFile]:
    """Copy the files of a layer that are picked into a folder, under numbers; in their order.

    Raises:
        FetchFailed: The archive is damaged, or is meant to harm.
        OSError: The disk does not take it.
    """
    try:
        with (
            archive.open("rb") as file,
            tarfile.open(fileobj=cast("IO[bytes]", _Sparing(file)), mode="r:") as opened,
        ):
            for number, member in enumerate(opened):
                budget.entries -= 1
                if budget.entries < 0:
                    raise FetchFailed("the image holds more files than are allowed")
                name = _plain_name(member.name)
                if not member.isreg() or member.issparse() or not name:
                    continue
                if not pick(PurePosixPath(name).name.lower(), member.mode):
                    continue
                place = folder / f"{archive.name}-{number}"
                _copy(opened, member, place, budget)
                yield FoundFile(name, member.mode & 0o777, place)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise FetchFailed("a layer is damaged") from error


def _plain_name(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or any(problem_of_file_name(part) for part in parts):
        raise FetchFailed("the name of a file in a layer leaves the image, or cannot be one")
    return "/".join(parts)


def _copy(opened: tarfile.TarFile, member: tarfile.TarInfo, place: Path, budget: Budget) -> None:
    source = opened.extractfile(member)
    assert source is not None, "it is a regular file"
    with source, place.open("xb") as target:
        while block := source.read(_BLOCK_BYTES):
            budget.take(len(block))
            target.write(block)


class _Sparing:
    """A file that is read in small pieces only: a header may state any length of its own continuation."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            raise FetchFailed("a header in a layer is larger than allowed")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
