"""Each fault of a network, at every call of a create: it is made once, or one clear error leaves it to be made again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from prism_iac.errors import PrismError
from prism_iac.testing.faults import Fault, FaultProxy, Rule, storm
from tests.contract.lifecycle.stage import Stage
from tests.faults.scenarios import alive

# A reply that drips takes the whole deadline of 30 seconds.
QUICK = tuple(fault for fault in Fault if fault is not Fault.SLOW_LORIS)


def create(stage: Stage) -> str:
    return stage.computation().id


@pytest.mark.parametrize("calls", ["GET .*/computations", "POST .*/computations"])
@pytest.mark.parametrize("fault", QUICK)
def test_a_create_that_meets_a_fault_makes_one(data: Path, fault: Fault, calls: str) -> None:
    with FaultProxy.before_embedded(data, [Rule(fault, calls)]) as proxy:
        stage = Stage(data, f"w-{uuid4().hex[:8]}")
        _ = stage.workspace  # made before the faults
        with suppress(PrismError):
            create(stage)
        assert proxy.struck == [fault]
        stage.begin_deployment()
        made = create(stage)
        assert alive(stage) == [made]
        stage.session.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_storm_of_passing_faults_is_ridden_out(data: Path, seed: int) -> None:
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    _ = stage.workspace  # made before the faults
    stage.session.close()
    faults = (Fault.LOST, Fault.BAD_GATEWAY, Fault.RESET)
    with FaultProxy.before_embedded(data, strike=storm(seed=seed, share=0.3, faults=faults)):
        for _ in range(20):
            stage.begin_deployment()
            try:
                made = create(stage)
            except PrismError:
                continue
            break
        else:
            pytest.fail("it never came through")
    stage.begin_deployment()
    assert alive(stage) == [made]
    stage.session.close()
