"""A lock is stale only when its process was the engine of this machine and is gone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from prism_iac.cli.repair._lock import Lock, locks_of, remove_stale
from prism_iac.errors import Conflict

HERE = socket.gethostname()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the locks of the stack `dev` of the project `platform` lie."""
    (tmp_path / "Pulumi.yaml").write_text("name: platform\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/a%20state")
    place = tmp_path / "a state" / ".pulumi" / "locks" / "organization" / "platform" / "dev"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[int]:
    """A process that is called like the engine."""
    binary = shutil.copy(shutil.which("sleep") or "", tmp_path / "pulumi")
    with subprocess.Popen([binary, "60"]) as process:
        yield process.pid
        process.kill()


def lock(place: Path, *, pid: int, host: str = HERE, name: str = "one") -> Lock:
    content = {"pid": pid, "username": "ada", "hostname": host, "timestamp": "2027-01-31T12:00:00Z"}
    (place / f"{name}.json").write_text(json.dumps(content))
    return next(item for item in locks() if item.path.stem == name)


def locks() -> list[Lock]:
    return locks_of("dev", project="platform")


def ended_process() -> int:
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


def test_one_whose_process_is_gone_is_stale_and_removed(place: Path) -> None:
    assert lock(place, pid=ended_process()).is_stale
    remove_stale(locks())
    assert locks() == []


def test_one_whose_number_another_program_has_is_stale(place: Path) -> None:
    assert lock(place, pid=os.getpid()).is_stale


def test_one_whose_engine_lives_is_not(place: Path, engine: int) -> None:
    assert not lock(place, pid=engine).is_stale
    with pytest.raises(Conflict, match="the stack is locked by process"):
        remove_stale(locks())


def test_one_of_another_machine_is_not(place: Path) -> None:
    assert not lock(place, pid=ended_process(), host="another").is_stale


def test_nothing_is_removed_where_one_is_not_stale(place: Path, engine: int) -> None:
    lock(place, pid=ended_process(), name="old")
    lock(place, pid=engine)
    with pytest.raises(Conflict):
        remove_stale(locks())
    assert len(locks()) == 2


def test_one_that_nobody_can_read_is_not(place: Path) -> None:
    (place / "half.json").write_text('{"pid":')
    (found,) = locks()
    assert not found.is_stale


def test_a_state_that_is_not_in_a_folder_shows_none(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(place, pid=ended_process())
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    assert locks() == []
