"""Deployments of one program from several machines at once end with one of each object."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from prism_iac.lifecycle import Live
from prism_iac.testing.faults import FaultProxy
from tests.contract.lifecycle.stage import ADA, EVE, Stage
from tests.faults.scenarios import alive

# As many as a machine of two processors has patience for, and all of them where every fault is tried.
AT_ONCE = pytest.mark.parametrize("at_once", [4, *([32] if "PRISM_IAC_FAULTS" in os.environ else [])])


def deployments(stack: ExitStack, stage: Stage, count: int) -> list[Stage]:
    """As many machines, each with connections of its own."""
    _ = stage.workspace  # made once, before all
    others = [Stage(stage.data, stage.workspace_name) for _ in range(count)]
    for other in others:
        stack.callback(other.session.close)
    return others


def deploy(stage: Stage, numbers: Path, addition: Path) -> list[Live[Any]]:
    """A small program: two assets, a computation that links them, and a grant."""
    dataset, algorithm = stage.dataset(numbers), stage.algorithm(addition)
    computation = stage.computation(
        algorithm=algorithm.id, datasets=[dataset.id], result_consumers=[ADA], stop_on_delete=True
    )
    grant = stage.create("Participant", "eve", computation=computation.id, user=EVE, actions=["view", "run"])
    return [dataset, algorithm, computation, grant]


@pytest.mark.fault(13)
@AT_ONCE
def test_a_program_from_many_machines_makes_one_of_each(
    stage: Stage, numbers: Path, addition: Path, at_once: int
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(at_once) as pool:
        machines = deployments(stack, stage, at_once)
        start = Barrier(at_once)

        def up(machine: Stage) -> list[Live[Any]]:
            start.wait()
            return deploy(machine, numbers, addition)

        made = list(pool.map(up, machines))
    ids = [[live.id for live in lives] for lives in made]
    assert ids == [ids[0]] * at_once
    dataset, algorithm, computation, grant = made[0]
    assert sorted(asset.id for asset in stage.workspace.assets.list()) == sorted([dataset.id, algorithm.id])
    assert [item.id for item in stage.workspace.computations.list()] == [computation.id]
    assert [stage.drift(live) for live in (dataset, algorithm, computation, grant)] == [{}] * 4


@pytest.mark.fault(13)
@AT_ONCE
def test_a_vm_from_many_machines_is_one(data: Path, at_once: int) -> None:
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    with ExitStack() as stack, ThreadPoolExecutor(at_once) as pool:
        stack.callback(stage.session.close)
        machines = deployments(stack, stage, at_once)
        start = Barrier(at_once)

        def up(machine: Stage) -> Live[Any]:
            start.wait()
            return machine.create("ConfidentialVM", "trainer")

        made = list(pool.map(up, machines))
        assert alive(stage) == [made[0].id] == list({vm.id for vm in made})
        stage.delete(made[0])


@AT_ONCE
def test_deletes_from_many_machines_leave_nothing(
    stage: Stage, numbers: Path, addition: Path, at_once: int
) -> None:
    made = deploy(stage, numbers, addition)
    with ExitStack() as stack, ThreadPoolExecutor(at_once) as pool:
        machines = deployments(stack, stage, at_once)
        for live in reversed(made):
            list(pool.map(lambda machine, live=live: machine.delete(live), machines))
    assert [*stage.workspace.assets.list(), *stage.workspace.computations.list()] == []


@pytest.mark.fault(39)
def test_64_threads_of_one_deployment_log_in_once(data: Path, stage: Stage) -> None:
    _ = stage.session.acting_for(ADA, stage.workspace_name)  # the account is there
    with FaultProxy.before_embedded(data) as proxy, ThreadPoolExecutor(64) as pool:
        stage.begin_deployment()
        start = Barrier(64)

        def look(_: int) -> int:
            start.wait()
            return len(list(stage.session.acting_for(ADA, stage.workspace_name).assets.list()))

        assert list(pool.map(look, range(64))) == [0] * 64
        stage.session.close()
    counted = Counter(proxy.calls)
    # As often as for one thread: whether the kept password still opens, and each client's own look.
    often = {call: times for call, times in counted.items() if times > 2 and not call.endswith("/assets")}
    assert often == {}
