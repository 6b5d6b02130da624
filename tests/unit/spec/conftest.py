from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.spec.materials import make_materials

Workplace = Callable[..., Path]


@pytest.fixture(scope="session")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("materials")
    make_materials(folder)
    return folder


@pytest.fixture
def workplace(materials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A folder with `keys/`, `certs/` and the files given, entered; a case folder may be laid over it."""

    def enter(over: Path | None = None, **files: str) -> Path:
        shutil.copytree(materials, tmp_path, dirs_exist_ok=True)
        if over is not None:
            shutil.copytree(over, tmp_path, dirs_exist_ok=True)
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return enter
