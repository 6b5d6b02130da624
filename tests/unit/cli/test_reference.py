"""The page is the snapshot of every help text: `make generate` writes it, review reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from prism_iac.cli._app import app
from prism_iac.cli.reference import DOCUMENTS, reference_page, rules_page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


ROOT: Any = get_command(app)


def commands(command: Any = None, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in (command or ROOT).commands.items():
        yield f"{path} {name}".strip(), inner
        if hasattr(inner, "commands"):
            yield from commands(inner, f"{path} {name}".strip())


COMMANDS = dict(commands())


def test_the_page_says_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "run `make generate`"


def test_the_page_of_rules_has_every_rule() -> None:
    assert (PAGE.parents[1] / "rules.md").read_text(encoding="utf-8") == rules_page(), "run `make generate`"


def test_the_page_does_not_depend_on_who_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "40", "PRISM_ENDPOINT": "https://prism.example", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    assert PAGE.read_text(encoding="utf-8") == reference_page()


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_and_an_example(path: str) -> None:
    command = COMMANDS[path]
    assert command.help.strip().endswith(".")
    if not getattr(command, "commands", {}) or command.epilog:
        assert f"prism-iac {path}" in command.epilog


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_explained(path: str) -> None:
    for parameter in COMMANDS[path].params:
        if parameter.name not in ("help", "install_completion", "show_completion"):
            assert parameter.help, parameter.name


def test_every_json_document_is_described() -> None:
    with_json = {
        path
        for path, command in COMMANDS.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert set(DOCUMENTS) == with_json
