"""The life of a stack is cut off at a telling point of each step; `make faults` does it at all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from prism_iac.testing.faults import (
    KillPoint,
    Life,
    Moment,
    Victim,
    World,
    cut_off,
    open_world,
    violations,
)
from prism_iac.toolchain import ensure_pulumi
from tests.faults.lives import COMPUTATION, PROJECT_FILE

CREATE, UPDATE, _, DELETE = COMPUTATION.steps
COMPUTATIONS: Final = "/computations/*/computations"
TELLING: Final[Life] = (
    (KillPoint(f"POST {COMPUTATIONS}", 1, Moment.AFTER), Victim.ENGINE),
    (KillPoint(f"PUT {COMPUTATIONS}/*", 1, Moment.BEFORE), Victim.BACKEND),
    (KillPoint(f"DELETE {COMPUTATIONS}/*", 1, Moment.AFTER), Victim.PROVIDER),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    project = tmp_path / "source"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(PROJECT_FILE)
    place = tmp_path / "world"
    configuration = {"prism:workspace": "research"}
    with open_world(project, place, ensure_pulumi(), configuration=configuration) as world:
        yield world


@pytest.mark.fault(4, 5)
@pytest.mark.engine
def test_a_life_that_is_cut_off_goes_on(world: World) -> None:
    cuts = list(cut_off(world, [CREATE, UPDATE, DELETE], [TELLING]))
    assert [cut.faults for cut in cuts] == [(), (), ()]
    assert [cut.victim for cut in cuts] == [Victim.ENGINE, Victim.BACKEND, Victim.PROVIDER]


@pytest.mark.engine
def test_what_is_wrong_afterwards_is_told(world: World) -> None:
    assert list(violations(world)) == []
    domain = world.backend.accounts.ensure_workspace("research")
    workspace = world.backend.accounts.as_admin().workspace(domain.id)
    stray = workspace.computations.create(name="stray", description="of nobody")
    world.store.put(".pulumi/backups/leak.json", b"-----BEGIN PRIVATE KEY-----")
    assert list(violations(world)) == [
        f"Computation: state has [], Prism has ['{stray}']",
        ".pulumi/backups/leak.json has PRIVATE KEY in clear",
    ]
