"""Archives that others made: uploads to an agent, layers of images, results, and Prism's own."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from prism_iac.agent.server._unpack import BadArchiveError, UnpackLimits, unpack
from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._layers import Budget, files_of, is_dataset, unpack_layer
from prism_iac.cli._extract import extract_archive
from prism_iac.prism._certificates import _parse_ca
from prism_iac.prism._json import Malformed
from tests.fuzz.target import Target, scratch

__all__ = ["TARGETS"]

_MOST_BYTES = 1 << 20


@cache
def _root() -> Path:
    return scratch()


def _fresh(data: bytes) -> tuple[Path, Path]:
    """The archive, and an empty folder that is gone with the next one."""
    shutil.rmtree(_root() / "out", ignore_errors=True)
    archive = _root() / "archive"
    archive.write_bytes(data)
    (_root() / "out").mkdir()
    return archive, _root() / "out"


def _upload(data: bytes) -> None:
    archive, folder = _fresh(data)
    try:
        unpack(archive, folder, UnpackLimits(entries=100, size_bytes=_MOST_BYTES, ratio=100))
    finally:
        _look_at(folder)


def _layer(data: bytes) -> None:
    archive, folder = _fresh(data)
    budget = Budget(_MOST_BYTES, entries=100)
    for _ in files_of(unpack_layer(archive, folder, budget), is_dataset, folder, budget):
        pass
    _look_at(folder)


def _result(data: bytes) -> None:
    archive, folder = _fresh(data)
    try:
        extract_archive(archive, folder)
    finally:
        _look_at(folder)


def _look_at(folder: Path) -> None:
    """Nothing but files and folders came out, nothing beside the folder, and no more than was allowed."""
    assert {path.name for path in _root().iterdir()} == {"archive", "out"}
    found = list(folder.rglob("*"))
    assert not any(path.is_symlink() or not (path.is_file() or path.is_dir()) for path in found)
    assert sum(path.stat().st_size for path in found if path.is_file()) <= 2 * _MOST_BYTES


def _zips() -> Iterator[bytes]:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("numbers.csv", "1,2\n" * 20)
            archive.writestr("folder/more.csv", "3\n")
            archive.mkdir("empty")
        yield file.getvalue()


def _layers() -> Iterator[bytes]:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("numbers.csv", "folder/" + "long" * 30 + ".csv"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"1,2\n"))
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    yield file.getvalue()
    yield gzip.compress(file.getvalue(), mtime=0)


def _ca_archives() -> Iterator[bytes]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("ca.pem", "-----BEGIN CERTIFICATE-----\n")
    yield file.getvalue()


TARGETS = (
    Target("upload-archive", _upload, _zips, (BadArchiveError,)),
    Target("image-layer", _layer, _layers, (FetchFailed,)),
    Target("result-archive", _result, _zips),
    Target("ca-archive", _parse_ca, _ca_archives, (Malformed,)),
)
