from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_iac.agent.server._unpack import BadArchiveError, UnpackLimits, unpack
from prism_iac.model import archive_folder

LIMITS = UnpackLimits(entries=5, size_bytes=1000, ratio=250)


def archive_of(folder: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = 0) -> Path:
    archive = folder / "archive.zip"
    with zipfile.ZipFile(archive, "w", method) as opened:
        for name, data in entries:
            opened.writestr(name, data)
    return archive


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def refusal(archive: Path, limits: UnpackLimits = LIMITS) -> str:
    folder = archive.parent / "out"
    folder.mkdir()
    with pytest.raises(BadArchiveError) as caught:
        unpack(archive, folder, limits)
    return str(caught.value)


def test_files_and_folders_come_out_as_they_went_in(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "a").write_bytes(b"1")
    (source / "deep" / "er" / "b").write_bytes(b"2" * 500)
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"".join(archive_folder(source)))
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out", LIMITS)
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")}
    assert found == {"a", "deep", "deep/er", "deep/er/b"}
    assert (tmp_path / "out" / "deep" / "er" / "b").read_bytes() == b"2" * 500


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x", "names no file"),
        ("a/../../x", "names no file"),
        ("/etc/x", "names no file"),
        ("a//b", "names no file"),
        ("a\\b", "names another folder"),
        ("a\x01", "has characters that do not print"),
        ("a" * 256, "has more than 255 bytes"),
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    assert refusal(archive_of(tmp_path, (name, b""))) == f"the name of entry 1 {reason}"


def test_a_name_that_is_cut_at_a_nul_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, ("aXb", b"1"))
    archive.write_bytes(archive.read_bytes().replace(b"aXb", b"a\0b"))
    assert "has characters that do not print" in refusal(archive)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    assert refusal(archive_of(tmp_path, (entry("x", kind | 0o777), b"/etc/passwd"))) == (
        "entry 1 is a link or a device"
    )


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    assert refusal(archive_of(tmp_path, ("a", b"1"), ("a/b", b"2"))) == "two entries have the same name"


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    entries = [(f"f{index}", b"") for index in range(6)]
    assert refusal(archive_of(tmp_path, *entries)) == "it holds more than 5 files"


def test_a_bomb_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, ("a", bytes(900)), ("b", bytes(900)), method=zipfile.ZIP_DEFLATED)
    assert archive.stat().st_size < 300
    assert refusal(archive) == "it holds more than the 1000 bytes that may come out of it"
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 1000


def test_an_archive_may_unpack_to_so_many_times_its_own_size(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, ("zeros", bytes(65 << 20)), method=zipfile.ZIP_DEFLATED)
    limits = UnpackLimits(entries=1, size_bytes=1 << 30, ratio=250)
    assert archive.stat().st_size * limits.ratio < 65 << 20
    assert "may come out of it" in refusal(archive, limits)


def test_a_size_that_the_archive_states_is_not_believed(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, ("a", bytes(5000)), method=zipfile.ZIP_DEFLATED)
    data = archive.read_bytes()
    assert data.count(struct.pack("<I", 5000)) == 2
    archive.write_bytes(data.replace(struct.pack("<I", 5000), struct.pack("<I", 10)))
    refusal(archive)
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 1000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_refused(tmp_path: Path, method: int) -> None:
    assert refusal(archive_of(tmp_path, ("a", b"1"), method=method)) == (
        "entry 1 is neither stored nor deflated"
    )


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, ("a", b"1"))
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert refusal(archive) == "entry 1 is encrypted"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(min_value=0), value=st.integers(min_value=0, max_value=255))
def test_a_damaged_archive_is_refused_or_unpacked_but_nothing_else(
    tmp_path: Path, position: int, value: int
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a", b"some text" * 10)
        opened.writestr("b/c", b"more")
    data = bytearray(buffer.getvalue())
    data[position % len(data)] = value
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    archive = folder / "archive.zip"
    archive.write_bytes(data)
    out = folder / "out"
    out.mkdir()
    try:
        unpack(archive, out, LIMITS)
    except BadArchiveError:
        return
    assert len([path for path in out.rglob("*") if path.is_file()]) <= 2
