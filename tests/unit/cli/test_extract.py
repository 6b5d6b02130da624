from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from prism_iac.cli import _extract
from prism_iac.cli._extract import extract_archive, require_empty
from prism_iac.errors import Conflict, VerificationFailure
from prism_iac.model import archive_folder


def archive_with(path: Path, *entries: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def link(path: Path) -> Path:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    return path


def damaged(path: Path) -> Path:
    whole = archive_with(path, ("a", b"x" * 1000)).read_bytes()
    path.write_bytes(whole[:-5])
    return path


def spoiled(path: Path) -> Path:
    whole = archive_with(path, ("a", b"x" * 1000)).read_bytes()
    path.write_bytes(whole.replace(b"xxxx", b"yyyy"))
    return path


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "a name that climbs": lambda path: archive_with(path, ("../out", b"")),
    "a name that climbs later": lambda path: archive_with(path, ("a/../../out", b"")),
    "an absolute name": lambda path: archive_with(path, ("/srv/out", b"")),
    "a name with a backslash": lambda path: archive_with(path, ("..\\out", b"")),
    "a name with a control character": lambda path: archive_with(path, ("a\x1b[2J", b"")),
    "an empty name": lambda path: archive_with(path, ("", b"")),
    "a name twice": lambda path: archive_with(path, ("a", b"1"), ("b", b""), ("a", b"2")),
    "a file that is a folder, too": lambda path: archive_with(path, ("a", b"1"), ("a/b", b"2")),
    "a link": link,
    "an end that is missing": damaged,
    "bytes that are others": spoiled,
}


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile warns of what this test makes on purpose
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_an_archive_that_reaches_out_is_refused(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = tmp_path / "inner" / "out"
    archive = make(tmp_path / "results.zip")
    with pytest.raises(VerificationFailure):
        extract_archive(archive, folder)
    written = [path for path in tmp_path.rglob("*") if not path.is_dir() and path != archive]
    assert all(path.is_relative_to(folder) and not path.is_symlink() for path in written)


@pytest.mark.parametrize(("limit", "value"), [("_MOST_BYTES", 9), ("_MOST_ENTRIES", 1)])
def test_an_archive_beyond_the_bounds_is_refused(
    limit: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_with(tmp_path / "results.zip", ("a", b"12345"), ("b", b"67890"))
    extract_archive(archive, tmp_path / "fits")
    monkeypatch.setattr(_extract, limit, value)
    with pytest.raises(VerificationFailure):
        extract_archive(archive, tmp_path / "out")


def test_what_an_agent_archives_comes_out_as_it_was(tmp_path: Path) -> None:
    source = tmp_path / "results"
    (source / "plots").mkdir(parents=True)
    (source / "sum.txt").write_text("42")
    (source / "plots" / "größe.svg").write_text("<svg/>")
    (tmp_path / "results.zip").write_bytes(b"".join(archive_folder(source)))
    extract_archive(tmp_path / "results.zip", tmp_path / "out")
    found = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*")}
    assert found == {path.relative_to(source) for path in source.rglob("*")}
    assert (tmp_path / "out" / "sum.txt").read_text() == "42"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    require_empty(tmp_path / "new")
    require_empty(tmp_path)
    (tmp_path / "mine").touch()
    with pytest.raises(Conflict):
        require_empty(tmp_path)
