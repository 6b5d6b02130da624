"""The commands of the page about reliability: a program is killed, and lives."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from prism_iac.testing.faults import Scenario
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT
from tests.engine.documents.shell import run_in_one_shell

BLOCKS = blocks_of(ROOT / "docs" / "reliability.md")


def test_a_program_of_ones_own_is_killed(tmp_path: Path) -> None:
    (command,) = (block.text for block in BLOCKS if block.language == "sh")
    folder = tmp_path / "anywhere"
    folder.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    (said,) = run_in_one_shell([command], folder, PATH=path)
    for step in ("create", "then sums.py", "delete"):
        (line,) = (line for line in said.splitlines() if line.startswith(f"demo {step}: "))
        assert line.endswith("survived")


def test_the_example_declares_a_life() -> None:
    (example,) = (block.text for block in BLOCKS if block.language == "python")
    names: dict[str, object] = {}
    exec(compile(example, "reliability.md", "exec"), names)  # noqa: S102  # the example that people copy
    life = names["life"]
    assert isinstance(life, Scenario)
    assert [step.name for step in life.steps] == ["create", "update", "delete"]
