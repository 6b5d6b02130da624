from __future__ import annotations

import json
from pathlib import Path

from prism_iac.model.schema import schemas
from tests.unit.cli.conftest import Run

ROOT = Path(__file__).parents[3]


def test_without_arguments_the_names_are_listed(run: Run) -> None:
    assert run("schema").out.splitlines() == [*schemas(), "plan"]


def test_a_kind_is_found_in_either_spelling(run: Run) -> None:
    printed = run("schema", "ConfidentialVM").out
    assert json.loads(printed) == schemas()["confidential-vm"]
    assert run("schema", "confidential-vm").out == printed


def test_a_kind_that_there_is_not_is_answered_with_one_that_is_near(run: Run) -> None:
    assert 'Did you mean "computation"?' in run("schema", "computaton").err


def test_written_files_are_those_of_the_project_and_pass_the_check(run: Run, here: Path) -> None:
    assert run("schema", "--output", "schemas").code == 0
    written = {path.name: path.read_bytes() for path in (here / "schemas").iterdir()}
    assert written == {path.name: path.read_bytes() for path in (ROOT / "schemas").iterdir()}
    assert run("schema", "--output", "schemas", "--check").code == 0


def test_the_check_names_the_file_that_is_stale_and_changes_nothing(run: Run, here: Path) -> None:
    run("schema", "--output", "schemas")
    (here / "schemas" / "stack.schema.json").write_text("{}")
    (here / "schemas" / "asset.schema.json").unlink()
    ended = run("schema", "--output", "schemas", "--check")
    assert (ended.code, ended.out) == (1, "")
    assert "schemas/stack.schema.json:1:1: this is not the schema of this version" in ended.err
    assert "schemas/asset.schema.json:1:1: there is no such file" in ended.err
    assert (here / "schemas" / "stack.schema.json").read_text() == "{}"
