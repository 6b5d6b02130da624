"""Computations between files and a workspace, on the real backend."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prism_iac.exchange import (
    Definition,
    Layout,
    export_definitions,
    portable,
)
from prism_iac.exchange._csv import COLUMNS
from prism_iac.lifecycle import Live
from prism_iac.model import Action
from prism_iac.model.resources import Computation
from prism_iac.prism import Workspace
from tests.contract.cli.command_line import CommandLine, SameProcess
from tests.contract.lifecycle.stage import ADA, EVE, GRACE, Stage, eventually

DIGEST = "5f0b4f5c0a7e1e0f7f3f3f4a2a0a6d2c9a1b8c7d6e5f4a3b2c1d0e9f8a7b6c5d"


@pytest.fixture
def table(line: CommandLine) -> Path:
    return line.folder / "computations.csv"


def write_table(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def names(workspace: Workspace) -> list[str]:
    return sorted(record.name for record in workspace.computations.list())


def exported(workspace: Workspace) -> list[Definition]:
    return [portable(definition) for definition in export_definitions(workspace)]


@pytest.fixture
def other(data: Path) -> Iterator[Stage]:
    """Another workspace of the same backend, with the same people."""
    from uuid import uuid4

    other = Stage(data, f"w-{uuid4().hex[:8]}")
    for user in (ADA, GRACE):
        other.session.user(user, other.workspace_name)
    yield other
    other.session.close()


def test_what_is_exported_is_imported_as_it_was(
    quick: SameProcess, stage: Stage, other: Stage, computation: Live[Computation]
) -> None:
    stage.create("Participant", "p", computation=computation.id, user=EVE, actions=["run"])
    other.session.user(EVE, other.workspace_name)
    quick.out("export", "--output", "all.json")
    assert quick.json("import", "all.json", PRISM_WORKSPACE=other.workspace_name)["assets_made"] == 2
    assert exported(other.workspace) == exported(stage.workspace)
    again = quick.json("import", "all.json", PRISM_WORKSPACE=other.workspace_name)
    assert (again["made"], again["there_already"]) == (0, 1)
    assert len(list(other.workspace.assets.list())) == 2


@pytest.mark.parametrize("layout", [Layout.FLAT, Layout.CSV])
def test_flat_layouts_find_the_assets_by_their_digest(
    quick: SameProcess, stage: Stage, computation: Live[Computation], layout: Layout
) -> None:
    before = quick.out("export", "--layout", layout)
    quick.out("export", "--layout", layout, "-o", "file")
    stage.workspace.computations.delete(computation.id)
    assert quick.json("import", "file")["made"] == 1
    after = quick.out("export", "--layout", layout)
    assert _without_ids(after, layout) == _without_ids(before, layout)


def _without_ids(text: str, layout: Layout) -> Any:
    if layout is Layout.FLAT:
        return {**json.loads(text), "id": ""}
    (row,) = csv.DictReader(text.splitlines())
    return {**row, "id": ""}


def test_a_dry_run_tells_everything_and_changes_nothing(
    quick: SameProcess, stage: Stage, table: Path
) -> None:
    stage.session.user(ADA, stage.workspace_name)
    write_table(
        table,
        {
            "name": "sum",
            "description": "adds",
            "algorithm_provider": "ada@exmple.com",
            "algorithm_hash": DIGEST,
        },
        {"name": "sum", "description": "adds"},
        {"name": "", "description": "adds", "log_level": "debg"},
    )
    ended = quick.run("import", table.name, "--dry-run")
    assert ended.code == 1
    for line in (
        'warning: computations.csv:2:15: row 1: algorithm_provider: no member of the workspace is called "ada@exmple.com"',
        'Did you mean "ada@example.com"?',
        'computations.csv:3:1: row 2: the name "sum" is taken by row 1',
        "computations.csv:4:2: row 3: name: must not be empty",
        'computations.csv:4:15: row 3: log_level: must be one of the known words, not "debg"',
    ):
        assert line in ended.err
    assert names(stage.workspace) == []


def test_an_error_anywhere_makes_nothing(quick: SameProcess, stage: Stage, table: Path) -> None:
    write_table(table, {"name": "sum", "description": "adds"}, {"name": "other", "description": ""})
    assert quick.run("import", table.name).code == 1
    assert names(stage.workspace) == []


def test_who_is_missing_is_told_and_the_rest_is_made(quick: SameProcess, stage: Stage, table: Path) -> None:
    stage.session.user(ADA, stage.workspace_name)
    write_table(table, {"name": "sum", "description": "adds", "result_consumers": f"{ADA};nobody"})
    assert quick.run("import", table.name, "--strict").code == 1
    assert names(stage.workspace) == []
    ended = quick.run("import", table.name)
    assert ended.code == 1
    assert 'no member of the workspace is called "nobody"' in ended.err
    (definition,) = export_definitions(stage.workspace)
    (consumer,) = definition.users_with(Action.RESULT_CONSUMER)
    assert stage.session.name_of(consumer) == ADA


def test_another_computation_of_the_name_is_left_alone(
    quick: SameProcess, table: Path, computation: Live[Computation]
) -> None:
    write_table(table, {"name": "sum", "description": "adds numbers"})
    ended = quick.run("import", table.name)
    assert ended.code == 1
    assert f'there is another computation "sum" in the workspace, with the id {computation.id}' in ended.err


def test_a_certificate_without_its_key_is_refused_unless_it_may_be_left_out(
    quick: SameProcess, stage: Stage, table: Path
) -> None:
    write_table(table, {"name": "sum", "description": "adds", "cert_file": "cert.pem"})
    ended = quick.run("import", table.name)
    assert "has no private key" in ended.err
    assert names(stage.workspace) == []
    assert quick.run("import", table.name, "--without-certificates").code == 1
    (definition,) = export_definitions(stage.workspace)
    assert definition.agent.files == ()


def test_an_import_that_was_killed_goes_on_and_makes_no_row_twice(
    line: CommandLine, stage: Stage, table: Path
) -> None:
    stage.session.user(ADA, stage.workspace_name)
    rows = [{"name": f"c{number:03}", "description": "d", "result_consumers": ADA} for number in range(60)]
    write_table(table, *rows)
    with line.start("import", table.name) as process:
        eventually(lambda: len(names(stage.workspace)) > 10)
        process.send_signal(signal.SIGKILL)
    begun = names(stage.workspace)
    assert len(begun) < len(rows)
    report = line.json("import", table.name)
    assert report["made"] == len(rows) - len(begun)
    assert report["there_already"] + report["resumed"] == len(begun)
    assert names(stage.workspace) == [row["name"] for row in rows]
    for definition in export_definitions(stage.workspace, with_samples=False):
        assert [stage.session.name_of(user) for user in definition.users_with(Action.RESULT_CONSUMER)] == [
            ADA
        ]


def test_a_cut_between_a_computation_and_its_roles_is_made_good(
    quick: SameProcess, stage: Stage, table: Path
) -> None:
    stage.session.user(ADA, stage.workspace_name)
    write_table(table, {"name": "sum", "description": "adds", "result_consumers": ADA})
    quick.out("import", table.name)
    (record,) = stage.workspace.computations.list()
    for role in stage.workspace.roles.list(record.id):
        if role.name != "owner":
            stage.workspace.roles.delete(record.id, role.id)
    report = quick.json("import", table.name)
    assert (report["made"], report["resumed"], report["there_already"]) == (0, 1, 0)
    (definition,) = export_definitions(stage.workspace)
    assert len(definition.users_with(Action.RESULT_CONSUMER)) == 1
