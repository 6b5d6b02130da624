"""Random programs, edits and faults reach the same state at Prism through both faces and through the handlers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from prism_iac.model import unmarked
from prism_iac.prism import Workspace
from prism_iac.provider.faces import Face
from prism_iac.testing.faults import Fault, FaultProxy, storm
from prism_iac.toolchain import Pulumi
from tests.engine.faces.by_handlers import ByHandlers
from tests.engine.faces.cases import Declared, Ref
from tests.engine.faces.program import program
from tests.engine.project import Project
from tests.engine.provider.platform_repo import ADA, GRACE, WORKSPACE, PlatformRepo

EDITS = 5
MOST_TRIES = 8
DATASETS = ("north", "south", "west")
COMPUTATIONS = ("mean", "sum", "total")


HANDLERS_ALONE = "handlers"


@pytest.fixture
def repos(pulumi: Pulumi, tmp_path: Path) -> Iterator[dict[str, PlatformRepo]]:
    """A repository for each way."""
    made = {name: PlatformRepo(Project(tmp_path / name, pulumi)) for name in (*Face, HANDLERS_ALONE)}
    try:
        yield made
    finally:
        for repo in made.values():
            repo.project.close()


def up_through_faults(repo: PlatformRepo, seed: int) -> int:
    """Update until it succeeds while calls meet faults at random; gives how many did."""
    project = repo.project
    repo.start_backend()  # an empty one has ended by itself
    strike = storm(seed=seed, share=0.1, faults=(Fault.LOST, Fault.BAD_GATEWAY, Fault.RESET))
    with FaultProxy.before_embedded(repo.data, strike=strike) as proxy:
        said = [project.start("up").finish()]
        while said[-1].exit_code != 0:
            assert len(said) < MOST_TRIES, said[-1].text
            said.append(project.start("up").finish())
    return len(proxy.struck)


@pytest.mark.fault(75)
@pytest.mark.parametrize("seed", [7])
def test_random_edits_under_random_faults_reach_the_same_state(
    repos: dict[str, PlatformRepo], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    alone = repos.pop(HANDLERS_ALONE)
    monkeypatch.chdir(alone.project.folder)
    stack = ByHandlers(alone.data, WORKSPACE)
    met = 0
    try:
        for declared in programs(random.Random(seed)):  # noqa: S311  # a repeatable draw
            stack.up(declared)
            expected = alone.look(contents)
            for face, repo in repos.items():
                repo.project.program(program(declared, Face(face)))
                seed += 1
                met += up_through_faults(repo, seed)
                assert repo.look(contents) == expected, face
        assert met > 0
        for repo in repos.values():
            assert repo.project.preview().changes == {}
    finally:
        stack.close()


def programs(draw: random.Random) -> Iterator[Declared]:
    """Programs, each an edit of the one before."""
    declared: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for name in DATASETS:
        declared[name] = (
            "Asset",
            {
                "asset_type": "dataset",
                "provider": ADA,
                "file": "numbers.txt",
                "description": name,
                "file_name": name,
            },
        )
    for _ in range(EDITS):
        for name in draw.sample(COMPUTATIONS, 2):
            if name in declared and draw.random() < 0.3:
                del declared[name]
            else:
                declared[name] = ("Computation", _computation(draw))
        asset = draw.choice(DATASETS)
        kind, inputs = declared[asset]
        declared[asset] = (kind, {**inputs, "description": f"{asset} {draw.randrange(3)}"})
        yield dict(declared)


def _computation(draw: random.Random) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "description": draw.choice(["adds", "divides", "multiplies", "ünïcode  words"]),
        "datasets": [Ref(name) for name in draw.sample(DATASETS, draw.randrange(3))],
        "result_consumers": draw.sample([ADA, GRACE], draw.randrange(3)),
    }
    if draw.random() < 0.7:
        inputs["agent"] = {"log_level": draw.choice(["debug", "info", "warn", "error"])}
    return inputs


def contents(workspace: Workspace) -> Any:
    """What Prism has, without ids and times."""
    assets = {asset.id: asset for asset in workspace.assets.list()}
    return {
        "assets": sorted((asset.file_name, unmarked(asset.description)[0]) for asset in assets.values()),
        "computations": {
            computation.name: (
                unmarked(computation.description)[0],
                computation.agent_config,
                sorted(asset.file_name for asset in assets.values() if computation.id in asset.computations),
                sorted((role.name, len(role.members)) for role in workspace.roles.list(computation.id)),
            )
            for listed in workspace.computations.list()
            for computation in [workspace.computations.get(listed.id)]
        },
    }
