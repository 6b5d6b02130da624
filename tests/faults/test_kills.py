"""A process is killed before and after every call of a handler; taking the step again ends with one object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from prism_iac.testing.faults import FaultProxy, Moment, Tape
from tests.contract.lifecycle.stage import Stage
from tests.faults.scenarios import SCENARIOS, Scenario, alive, take_apart

EVERY_POINT = "PRISM_IAC_FAULTS"


@pytest.fixture
def tape(data: Path) -> Iterator[Tape]:
    tape = Tape()
    with FaultProxy.before_embedded(data) as proxy:
        proxy.passing = tape.passing
        yield tape


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_step_that_was_killed_is_taken_again(data: Path, tape: Tape, scenario: Scenario) -> None:
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    before = scenario.prepare(stage)
    undisturbed = take_apart(scenario, stage, before)
    tape.begin()
    undisturbed.start()
    undisturbed.join()
    assert undisturbed.exitcode == 0
    points = tape.points()
    stage.session.close()
    if scenario.step == "create" and scenario.kind == "ConfidentialVM" and EVERY_POINT not in os.environ:
        # Every point starts a VM: those around the call that makes its record stand for all.
        points = [point for point in points if point.call.startswith("POST")]
    assert {point.moment for point in points} == set(Moment)
    for point in points:
        stage = Stage(data, f"w-{uuid4().hex[:8]}")
        before = scenario.prepare(stage)
        process = take_apart(scenario, stage, before)
        tape.begin(point, process.kill)
        process.start()
        process.join()
        assert tape.struck, f"never came to {point}"
        tape.begin()
        stage.begin_deployment()
        settled = scenario.take(stage, before)
        stage.begin_deployment()
        assert alive(stage) == ([] if settled is None else [settled.id]), str(point)
        if settled is not None:
            assert stage.drift(settled) == {}, str(point)
            stage.delete(settled)
            assert alive(stage) == [], str(point)
        stage.session.close()
