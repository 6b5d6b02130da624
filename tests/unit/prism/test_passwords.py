"""Passwords of local accounts: kept once, private, and never lost between threads or processes."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.prism._passwords import PasswordFile

PROGRAM = """
import sys
from pathlib import Path
from prism_iac.prism._passwords import PasswordFile
file = PasswordFile(Path(sys.argv[1]))
print(*[file.of(f"user{number}@example.com") for number in range(20)])
"""


def passwords_of_another_process(path: Path) -> list[str]:
    return subprocess.check_output([sys.executable, "-c", PROGRAM, path], text=True).split()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credentials.json"


def test_a_password_is_made_once_and_is_long(path: Path) -> None:
    password = PasswordFile(path).of("ada@example.com")
    assert len(password) >= 24
    assert PasswordFile(path).of("ada@example.com") == password
    assert PasswordFile(path).of("grace@example.com") != password


def test_only_its_owner_reads_the_file(path: Path) -> None:
    PasswordFile(path).of("ada@example.com")
    assert path.stat().st_mode & 0o777 == 0o600


def test_threads_and_processes_agree_on_every_password(path: Path) -> None:
    users = [f"user{number}@example.com" for number in range(20)]
    with ThreadPoolExecutor(12) as pool:
        processes = [pool.submit(passwords_of_another_process, path) for _ in range(4)]
        threads = list(pool.map(lambda _: [PasswordFile(path).of(user) for user in users], range(8)))
    kept = json.loads(path.read_text())
    assert sorted(kept) == sorted(users)
    wanted = [kept[user] for user in users]
    assert all(found == wanted for found in threads)
    assert all(process.result() == wanted for process in processes)


def test_a_wrong_password_is_forgotten_and_a_newer_one_is_not(path: Path) -> None:
    file = PasswordFile(path)
    first = file.of("ada@example.com")
    file.forget("ada@example.com", first)
    second = file.of("ada@example.com")
    assert second != first
    file.forget("ada@example.com", first)
    assert file.of("ada@example.com") == second


@pytest.mark.parametrize("content", ["", "{", "[]", '{"ada": 7}', '{"a": "x", "a": "y"}'])
def test_a_damaged_file_is_named_and_left_alone(content: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(InvalidInput, match="is damaged"):
        PasswordFile(path).of("ada@example.com")
    assert path.read_text() == content


def test_what_a_cut_write_left_behind_does_no_harm(path: Path) -> None:
    path.with_suffix(".part").write_text("half")
    assert PasswordFile(path).of("ada@example.com") == PasswordFile(path).of("ada@example.com")


def test_its_text_shows_no_password(path: Path) -> None:
    file = PasswordFile(path)
    assert file.of("ada@example.com") not in repr(file)
