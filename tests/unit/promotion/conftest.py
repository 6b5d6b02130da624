from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.promotion.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Three environments; dev is locked."""
    repository = Repository(tmp_path)
    repository.lock("dev")
    return repository
