"""What the suite runs, and that it says so where there is nothing to run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.interop.programs import VARIABLE, find_programs


def test_the_suite_has_programs_to_run() -> None:
    if not find_programs():
        pytest.skip(f"{VARIABLE} names no folder with the programs of Cocos: no interoperation is tried")
    for programs in find_programs():
        for name in (
            "cli",
            "agent",
            *(("attestation-service", "log-forwarder") if programs.has_services else ()),
        ):
            assert os.access(programs.folder / name, os.X_OK), f"{programs} has no program {name}"


def test_a_folder_may_hold_every_version_or_be_one(tmp_path: Path) -> None:
    for version in ("v0.10.2", "v0.8.2", "0.9.0", "notes"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "cli").touch()
    found = find_programs({VARIABLE: str(tmp_path)})
    assert [(str(programs), programs.has_services) for programs in found] == [
        ("v0.8.2", False),
        ("0.9.0", True),
        ("v0.10.2", True),
    ]
    assert [str(one) for one in find_programs({VARIABLE: str(tmp_path / "v0.8.2")})] == ["v0.8.2"]
    assert find_programs({}) == []


def test_a_folder_without_programs_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="holds no folder such as"):
        find_programs({VARIABLE: str(tmp_path)})
