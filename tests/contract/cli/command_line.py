"""`prism-iac` as people and scripts run it: a process of its own, in a folder, with an environment."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from prism_iac.cli import main
from tests.contract.agent.vm import MEASURING

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    """Runs `prism-iac`; no variable of this process but the search path reaches it."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "prism_iac.cli", *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                **MEASURING,
                **self.variables,
            },
            text=True,
            encoding="utf-8",
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> Ended:
        line = CommandLine(self.folder, {**self.variables, **variables})
        with line.start(*arguments) as process:
            try:
                out, err = process.communicate(stdin, timeout=PATIENCE_SECONDS)
            except BaseException:
                process.kill()
                raise
        assert "Traceback" not in err
        return Ended(process.returncode, out, err)

    def out(self, *arguments: str, **variables: str) -> str:
        """What a command prints that succeeds."""
        ended = self.run(*arguments, **variables)
        assert ended.code == 0, ended.err
        return ended.out

    def json(self, *arguments: str, **variables: str) -> Any:
        """The one document that a command prints that succeeds."""
        return json.loads(self.out(*arguments, "--json", **variables))


@dataclass
class SameProcess(CommandLine):
    """Runs `prism-iac` without a process of its own, which costs more than most commands."""

    patch: pytest.MonkeyPatch = field(kw_only=True)
    captured: pytest.CaptureFixture[str] = field(kw_only=True)

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> Ended:
        with self.patch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["prism-iac", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            for name in [name for name in os.environ if name.startswith("PRISM_")]:
                patch.delenv(name)
            for name, value in {**self.variables, **variables}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        said = self.captured.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, said.out, said.err)
