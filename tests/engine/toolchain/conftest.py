from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.project import Project


@pytest.fixture
def things(project: Project) -> Project:
    """A project whose program can import `Thing`."""
    project.write("thing.py", Path(__file__).with_name("thing.py").read_text(encoding="utf-8"))
    return project
