"""The commands on the page are ones that there are, with options that they have."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from typer.main import get_command

from prism_iac.cli._app import app
from prism_iac.forge import Trust
from tests.engine.documents.blocks import blocks_of

BLOCKS: Final = blocks_of(Path(__file__).parents[3] / "docs/pull-requests.md")
COMMANDS: Final = [line for block in BLOCKS if block.language == "text" for line in block.text.splitlines()]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_understood(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("plan.json", "trust.yaml"):
        (tmp_path / name).touch()
    program, *arguments = shlex.split(line)
    assert program == "prism-iac"
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context(line, arguments)


def test_the_trust_on_the_page_is_one() -> None:
    (text,) = (block.text for block in BLOCKS if block.file_name == "trust.yaml")
    assert Trust.model_validate(yaml.safe_load(text)).claims["environment"] == "prod"
