from __future__ import annotations

import pytest

from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo


@pytest.fixture
def repo(project: Project) -> PlatformRepo:
    """A platform repository without a program."""
    return PlatformRepo(project)
