"""What docs/cocos.md has a participant do, done with the real `cocos-cli`."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from prism_iac.lifecycle import Live
from prism_iac.model.resources import ConfidentialVM
from tests.contract.cli.command_line import CommandLine
from tests.contract.cli.conftest import addition, computation, data, line, numbers, stage, vm
from tests.contract.cli.test_whole_run import register_keys
from tests.engine.documents.blocks import blocks_of
from tests.interop.programs import Programs

__all__ = ["addition", "computation", "data", "line", "numbers", "stage", "vm"]

PAGE = Path(__file__).parents[2] / "docs" / "cocos.md"


@pytest.mark.usefixtures("computation", "addition", "numbers")
def test_a_participant_of_the_page(
    line: CommandLine, vm: Live[ConfidentialVM], programs: Programs, tmp_path: Path
) -> None:
    register_keys(line)
    line.out("computations", "run", "sum", "--vm", str(vm.state.name))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "cocos-cli").symlink_to(programs.folder / "cli")
    script = next(block.text for block in blocks_of(PAGE) if "cocos-cli algo" in block.text)
    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=line.folder,
        env={"PATH": path, "HOME": str(line.folder), "LANG": "C.UTF-8", **line.variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Successfully uploaded dataset!" in ended.stdout + ended.stderr
    with zipfile.ZipFile(line.folder / "results.zip") as archive:
        assert archive.read("sum.txt") == b"42"
