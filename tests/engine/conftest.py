"""Tests with the real engine.

    def test_a_changed_word_is_updated_in_place(project: Project) -> None:
        project.program('''
            import prism_iac
            ...
        ''')
        assert project.preview().changes == {"thing": "create"}
        project.up()
        assert project.preview().changes == {}
        assert project.state()["thing"].outputs["word"] == "new"
        project.destroy()

`project` is a project of its own in a temporary folder, see `tests/engine/project.py`; what its commands
give is in `tests/engine/outcome.py`. Nothing is shared between tests but the CLI, so they run side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prism_iac.testing.faults import end_processes_of
from prism_iac.toolchain import Pulumi, ensure_pulumi
from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def pulumi() -> Pulumi:
    """The CLI that `make setup` provides. A test cannot do without: when it cannot be had, it fails."""
    return ensure_pulumi()


@pytest.fixture
def project(pulumi: Pulumi, tmp_path: Path) -> Iterator[Project]:
    """An empty project; whatever it has started is killed afterwards."""
    project = Project(tmp_path / "project", pulumi)
    try:
        yield project
    finally:
        project.close()
        end_processes_of(tmp_path)


@pytest.fixture
def repo(project: Project) -> PlatformRepo:
    """A platform repository without a program."""
    return PlatformRepo(project)
