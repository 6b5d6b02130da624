"""Where a program's data lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.prism import data_folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "stacks" / "deep").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: x\n")
    return project


def test_the_folder_lies_beside_the_project_file(project: Path) -> None:
    assert data_folder(project, {}) == project / ".prism"
    assert data_folder(project / "stacks" / "deep", {}) == project / ".prism"


def test_a_folder_that_is_there_wins_over_a_project_file_above_it(project: Path) -> None:
    (project / "stacks" / ".prism").mkdir()
    assert data_folder(project / "stacks" / "deep", {}) == project / "stacks" / ".prism"


def test_the_variable_wins_over_everything(project: Path, tmp_path: Path) -> None:
    environ = {"PRISM_IAC_DATA": str(tmp_path / "elsewhere")}
    assert data_folder(project, environ) == tmp_path / "elsewhere"


def test_a_relative_variable_counts_from_the_start(project: Path) -> None:
    assert data_folder(project, {"PRISM_IAC_DATA": "data"}) == project / "data"


def test_an_empty_variable_says_nothing(project: Path) -> None:
    assert data_folder(project, {"PRISM_IAC_DATA": ""}) == project / ".prism"


def test_outside_of_a_project_the_folder_lies_here(tmp_path: Path) -> None:
    here = tmp_path / "nowhere"
    here.mkdir()
    assert data_folder(here, {}) == here / ".prism"


def test_nothing_is_made(project: Path) -> None:
    data_folder(project, {})
    assert not (project / ".prism").exists()
