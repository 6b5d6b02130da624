"""Computations between files and a workspace, on the real backend."""

from __future__ import annotations

import csv
import json
import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

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
from prism_iac.spec import load_stack
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


SOURCES: dict[str, dict[str, Any]] = {
    "algorithm": {
        "url": "https://data.example.com/addition.py",
        "runtime": "python",
        "arguments": ["--fast"],
    },
    "dataset": {
        "url": "s3://lab/numbers.sealed",
        "encrypted": True,
        "kbs_url": "https://kbs.example.com",
        "kbs_resource_path": "default/key/numbers",
    },
}


def test_sources_go_with_what_is_exported(
    quick: SameProcess, stage: Stage, other: Stage, numbers: Path, addition: Path
) -> None:
    algorithm = stage.update(stage.algorithm(addition), source=SOURCES["algorithm"])
    dataset = stage.update(stage.dataset(numbers), source=SOURCES["dataset"])
    stage.computation(algorithm=algorithm.id, datasets=[dataset.id], result_consumers=[ADA])
    quick.out("export", "--output", "all.json")
    other.dataset(numbers)  # the same bytes, but uploaded
    made = quick.json("import", "all.json", PRISM_WORKSPACE=other.workspace_name)["assets_made"]
    assert exported(other.workspace) == exported(stage.workspace)
    kept = [record for record in other.workspace.assets.list() if record.source is not None]
    assert {record.asset_type: record.source and record.source.to_json() for record in kept} == SOURCES
    assert (made, len(kept)) == (2, 2)
    again = quick.json("import", "all.json", PRISM_WORKSPACE=other.workspace_name)
    assert (again["made"], again["assets_made"]) == (0, 0)

    quick.out("export", "--layout", Layout.STACK, "-o", "stack.yaml")
    declared = load_stack(quick.folder / "stack.yaml").assets.values()
    assert {item.kind: item.source and item.source.to_json() for item in declared} == SOURCES


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
    # What was on its way when it was killed may have been done after that.
    assert report["made"] <= len(rows) - len(begun)
    assert report["made"] + report["there_already"] + report["resumed"] == len(rows)
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


def test_a_stack_file_of_what_is_there_is_valid(
    quick: SameProcess, stage: Stage, computation: Live[Computation]
) -> None:
    quick.out("export", "--layout", "stack", "-o", "dev.yaml")
    assert "numbers" in quick.out("export", "--layout", "stack")
    quick.out("validate", "dev.yaml")
    (entry,) = load_stack(quick.folder / "dev.yaml").computations.values()
    assert entry.name == computation.state.name
    assert [consumer.user for consumer in entry.result_consumers] == [ADA]
    assert entry.algorithm.provider.user == GRACE
    assert stage.workspace_name in (quick.folder / "dev.yaml").read_text()


def test_a_restored_workspace_exports_the_same(
    quick: SameProcess, stage: Stage, data: Path, computation: Live[Computation]
) -> None:
    stage.register_keys(computation, ADA, GRACE)
    stage.create("Participant", "p", computation=computation.id, user=EVE, actions=["run"])
    stage.create(
        "Asset", "lone", asset_type="dataset", provider=EVE, checksum=DIGEST, description="not linked"
    )
    quick.out("backup", "all.zip")
    assert b"PRIVATE KEY" not in (quick.folder / "all.zip").read_bytes()
    copy = Stage(data, f"w-{uuid4().hex[:8]}")
    copy.session.workspace(copy.workspace_name)
    try:
        said = quick.out("restore", "all.zip", PRISM_WORKSPACE=copy.workspace_name)
        assert re.findall(r"(\d+)$", said, re.MULTILINE) == ["1", "3", "4", "2"]
        assert exported(copy.workspace) == exported(stage.workspace)
        assert _contents(copy) == _contents(stage)
        (restored,) = copy.workspace.computations.list()
        assert copy.workspace.computations.dry_run(restored.id).keys == ()
        again = quick.run("restore", "all.zip", PRISM_WORKSPACE=copy.workspace_name)
        assert again.code == 1
        assert "the workspace has computations" in again.err
    finally:
        copy.session.close()


def _contents(stage: Stage) -> tuple[object, ...]:
    """Assets, members and roles of a workspace, without the ids that it gave them."""
    domain = stage.session._platform.domains
    roles = domain.roles.list(stage.workspace.id)
    return (
        sorted((asset.user_id, asset.checksum, asset.file_name) for asset in stage.workspace.assets.list()),
        sorted(member.id for member in domain.members(stage.workspace.id)),
        sorted((role.name, role.actions, sorted(role.members)) for role in roles),
    )


@pytest.mark.parametrize("part", ["computations.json", "manifest.json", "added.json"])
def test_an_archive_that_was_changed_is_not_restored(
    quick: SameProcess, stage: Stage, other: Stage, computation: Live[Computation], part: str
) -> None:
    assert computation.id in {record.id for record in stage.workspace.computations.list()}
    quick.out("backup", "all.zip")
    with zipfile.ZipFile(quick.folder / "all.zip") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = parts.get(part, b"{}").replace(b"adds numbers", b"adds others") + b" "
    if part == "manifest.json":
        parts[part] = parts[part].replace(b'"cvms.json"', b'"cvm.json"')
    with zipfile.ZipFile(quick.folder / "other.zip", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    ended = quick.run("restore", "other.zip", PRISM_WORKSPACE=other.workspace_name)
    assert ended.code == 4
    assert "the archive is not what its manifest says" in ended.err
    assert names(other.workspace) == []
    (quick.folder / "none.zip").write_bytes(b"PK")
    assert quick.run("restore", "none.zip", PRISM_WORKSPACE=other.workspace_name).code == 1


def test_an_asset_whose_provider_has_no_role_is_made_once_and_not_linked(
    quick: SameProcess, stage: Stage
) -> None:
    stage.session.user(ADA, stage.workspace_name)
    asset = {"id": "1", "UserID": ADA, "asset_type": "dataset", "description": "a sample", "asset": "aGk="}
    bundle = {
        "computation": {"name": "sum", "description": "adds"},
        "assets": [asset],
        "asset_links": [{"asset_id": "1"}],
    }
    (quick.folder / "bundle.json").write_text(json.dumps(bundle))
    for _ in range(2):
        ended = quick.run("import", "bundle.json")
        assert ended.code == 1
        assert "its provider does not hold the action dataset_provider" in ended.err
    assert names(stage.workspace) == ["sum"]
    (made,) = stage.workspace.assets.list()
    assert (made.description, made.computations) == ("a sample", ())


def test_rows_that_need_the_same_asset_make_it_once(quick: SameProcess, stage: Stage) -> None:
    stage.session.user(ADA, stage.workspace_name)
    asset = {"id": "1", "UserID": ADA, "asset_type": "dataset", "description": "d", "Checksum": DIGEST}
    role = {"role_name": "dataset_provider", "actions": ["view", "dataset_provider"], "members": [ADA]}
    bundles = [
        {
            "computation": {"name": f"c{number}", "description": "adds"},
            "roles": [role],
            "assets": [asset],
            "asset_links": [{"asset_id": "1"}],
        }
        for number in range(12)
    ]
    (quick.folder / "bundles.json").write_text(json.dumps(bundles))
    assert quick.json("import", "bundles.json")["assets_made"] == 1
    (made,) = stage.workspace.assets.list()
    assert len(made.computations) == len(bundles)
    assert quick.json("import", "bundles.json")["there_already"] == len(bundles)


def test_what_prism_refuses_of_one_row_does_not_stop_the_others(
    quick: SameProcess, stage: Stage, table: Path
) -> None:
    write_table(
        table, {"name": "n" * 300, "description": "too long a name"}, {"name": "b", "description": "d"}
    )
    ended = quick.run("import", table.name)
    assert ended.code == 1
    assert "computations.csv:2:1: row 1: Prism refused it" in ended.err
    assert names(stage.workspace) == ["b"]
