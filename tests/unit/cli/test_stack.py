"""The page on stack files: its files, its commands and what they print."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.engine.documents.blocks import blocks_of

PAGE = Path(__file__).parents[3] / "docs" / "stack-files.md"


def test_every_command_of_the_page_runs_and_prints_what_it_says(tmp_path: Path) -> None:
    blocks = blocks_of(PAGE)
    for block in blocks:
        if block.file_name:
            (tmp_path / block.file_name).parent.mkdir(exist_ok=True)
            (tmp_path / block.file_name).write_text(block.text)
    for block, following in pairwise(blocks):
        if block.language != "sh":
            continue
        *_, printed = [run(command, tmp_path) for command in block.text.splitlines()]
        if following.language == "text":
            assert sorted(printed.splitlines()) == sorted(following.text.splitlines())
    assert (tmp_path / "schemas" / "pulumi-config.schema.json").exists()


def run(command: str, folder: Path) -> str:
    _, *arguments = command.split()
    done = subprocess.run(
        [sys.executable, "-m", "prism_iac.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
