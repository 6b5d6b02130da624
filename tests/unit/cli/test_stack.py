"""The page on stack files: its files, its commands and what they print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.engine.documents.blocks import blocks_of

PAGE = Path(__file__).parents[3] / "docs" / "stack-files.md"


def test_every_command_of_the_page_runs_and_the_last_prints_what_it_says(tmp_path: Path) -> None:
    blocks = blocks_of(PAGE)
    for block in blocks:
        if block.file_name:
            (tmp_path / block.file_name).write_text(block.text)
    (commands,) = (block.text for block in blocks if block.language == "sh")
    shown = [block.text for block in blocks if block.language == "text"][-1]
    for command in commands.splitlines():
        _, *arguments = command.split()
        done = subprocess.run(
            [sys.executable, "-m", "prism_iac.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        if "explain" in arguments:
            assert sorted(done.stdout.splitlines()) == sorted(shown.splitlines())
