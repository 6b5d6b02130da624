"""A process is killed before and after every call of a handler; taking the step again ends with one object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from prism_iac.lifecycle import Live
from prism_iac.model.resources import CertificateBundle, ConfidentialVM
from prism_iac.testing.faults import FaultProxy, KillPoint, Moment, Tape
from tests.contract.lifecycle.stage import Stage
from tests.faults.scenarios import ISSUED, SCENARIOS, Scenario, alive, take_apart

EVERY_POINT = "PRISM_IAC_FAULTS"


@pytest.fixture
def tape(data: Path) -> Iterator[Tape]:
    tape = Tape()
    with FaultProxy.before_embedded(data) as proxy:
        proxy.passing = tape.passing
        yield tape


@pytest.mark.fault(5)
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
    if scenario.step == "create" and scenario.kind == "ConfidentialVM":
        # Every point starts a VM.
        points = chosen(points)
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


@pytest.mark.parametrize("step", ["create", "update"])
def test_certificates_of_an_issue_that_was_killed_are_those_of_the_next(
    data: Path, tape: Tape, step: str
) -> None:
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    vm = stage.create("ConfidentialVM", "trainer")
    born_with = valid(stage, vm)
    scenario = Scenario("CertificateBundle", step, {**ISSUED, "vm": vm.id}, {"ip_addresses": ["127.0.0.1"]})

    def cut_off(point: KillPoint | None) -> list[KillPoint]:
        before = scenario.prepare(stage)
        process = take_apart(scenario, stage, before)
        tape.begin(point, process.kill)
        process.start()
        process.join()
        assert tape.struck is (point is not None), f"never came to {point}"
        points = tape.points()
        tape.begin()
        if point is not None:
            stage.begin_deployment()
            bundle: Live[CertificateBundle] | None = scenario.take(stage, before)
            assert bundle is not None
            state = bundle.state
            issued = {state.server_serial, state.client_serial, *(state.old_serials or ())}
            assert valid(stage, vm) == born_with | issued, str(point)
            stage.delete(bundle)
        for serial in valid(stage, vm) - born_with:
            stage.workspace.certificates.revoke(serial)
        return points

    for point in chosen(cut_off(None)):
        cut_off(point)
    stage.delete(vm)
    stage.session.close()


def valid(stage: Stage, vm: Live[ConfidentialVM]) -> set[str]:
    """The serial numbers of a VM's certificates."""
    return {
        item.serial_number for item in stage.workspace.certificates.list(cvm_id=vm.id) if not item.revoked
    }


def chosen(points: list[KillPoint]) -> list[KillPoint]:
    """Those around the calls that make something stand for all, unless all are asked for."""
    return [point for point in points if EVERY_POINT in os.environ or point.call.startswith("POST")]
