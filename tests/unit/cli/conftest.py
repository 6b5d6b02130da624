from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from prism_iac.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder that commands run in, far from any project and from other settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("PRISM_ENDPOINT", "PRISM_WORKSPACE", "PRISM_TOKEN", "PRISM_USERNAME", "PRISM_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRISM_IAC_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def run(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `prism-iac` in this process, from its arguments to its exit code."""

    def run(*arguments: str, **variables: str) -> Ended:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["prism-iac", *arguments])
            for name, value in variables.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, said.out, said.err)

    assert here.is_dir()
    return run
