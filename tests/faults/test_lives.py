"""The life of a stack is cut off at some of its points; `make faults` does it at all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.testing.faults import Victim, cut_off, open_world, plan, record
from prism_iac.toolchain import ensure_pulumi
from tests.faults.lives import COMPUTATION, PROJECT_FILE

CUTS_OF_EACH_STEP = 1


@pytest.mark.engine
def test_a_life_that_is_cut_off_goes_on(tmp_path: Path) -> None:
    project = tmp_path / "source"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(PROJECT_FILE)
    steps = COMPUTATION.steps
    with open_world(
        project, tmp_path / "world", ensure_pulumi(), configuration={"prism:workspace": "research"}
    ) as world:
        points = record(world, steps)
        cuts = [
            cut
            for seed, victim in enumerate(Victim)
            for cut in cut_off(
                world,
                steps,
                plan(steps, points, victims=[victim], sample=CUTS_OF_EACH_STEP, seed=seed),
            )
        ]
    assert [cut for cut in cuts if cut.faults] == []
    assert {cut.victim for cut in cuts} == set(Victim)
