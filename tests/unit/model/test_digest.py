from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.model import archive_folder, sha3_256, sha3_256_of_path


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        # FIPS 202 example values, published by NIST
        (b"", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
        (b"abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (b"\xa3" * 200, "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787"),
    ],
)
def test_sha3_256_gives_the_published_values(message: bytes, digest: str) -> None:
    assert sha3_256(message).hex() == digest


@given(st.binary(max_size=3000))
def test_sha3_256_is_that_of_the_standard_library(data: bytes) -> None:
    assert sha3_256(data) == hashlib.sha3_256(data).digest()


def test_a_file_larger_than_a_block_is_hashed_whole(tmp_path: Path) -> None:
    data = os.urandom((1 << 20) * 2 + 7)
    (tmp_path / "data").write_bytes(data)
    assert sha3_256_of_path(tmp_path / "data") == hashlib.sha3_256(data).digest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    (folder / "sub").mkdir(parents=True)
    files = {"iris.csv": b"5.1,3.5\n", "run": b"#!/bin/sh\n", "sub/zwölf.txt": b"empty", "sub/none": b""}
    for name, data in files.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755 if name == "run" else 0o644)
    return folder


def test_a_folder_has_the_archive_that_go_writes(folder: Path) -> None:
    """Known answer: Go 1.26 `archive/zip` with stored entries and the time 1970-01-01 UTC (README.md)."""
    archive = b"".join(archive_folder(folder))
    assert len(archive) == 551
    assert sha3_256(archive).hex() == "9e4c6479ec242b9b4a0324b8c3e9df27fb14c44d4b0f0c338eec0c21f8e6e5f0"
    assert sha3_256_of_path(folder) == sha3_256(archive)


def test_an_archive_can_be_read_by_the_standard_library(folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(archive_folder(folder)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["iris.csv", "run", "sub/none", "sub/zwölf.txt"]
        assert archive.read("sub/zwölf.txt") == b"empty"
        assert archive.getinfo("run").external_attr >> 16 == 0o100755


def test_an_archive_depends_on_names_modes_and_bytes_alone(folder: Path) -> None:
    before = sha3_256_of_path(folder)
    os.utime(folder / "iris.csv", (1, 1))
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("iris.csv")
    assert sha3_256_of_path(folder) == before
    (folder / "run").chmod(0o644)
    assert sha3_256_of_path(folder) != before


def test_entries_are_sorted_by_their_full_path(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/b", "a.b", "a-b"):
        (tmp_path / name).touch()
    with zipfile.ZipFile(io.BytesIO(b"".join(archive_folder(tmp_path)))) as archive:
        assert archive.namelist() == ["a-b", "a.b", "a/b"]


def test_an_empty_folder_has_an_archive_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(archive_folder(tmp_path)))) as archive:
        assert archive.namelist() == []
