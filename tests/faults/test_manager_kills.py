"""A process is killed around the calls to a manager that make and end a machine; the VM has one machine afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from prism_iac.lifecycle import Live
from prism_iac.testing.faults import KillPoint, Moment, Relay, Tape
from tests.contract.hypervisor.managers import OwnManager, own_manager
from tests.contract.lifecycle.stage import Stage, eventually
from tests.faults.scenarios import Scenario, take_apart

SERVICE = "CALL /manager.ManagerService"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[OwnManager]:
    """One in clear."""
    with own_manager(tmp_path / "manager") as manager:
        yield manager


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(("step", "call"), [("create", "CreateVm"), ("delete", "RemoveVm")])
def test_a_vm_has_one_machine_whatever_is_killed(
    data: Path, manager: OwnManager, step: str, call: str, moment: Moment
) -> None:
    tape = Tape()
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    with Relay(manager.address, passing=tape.passing) as relay:
        scenario = Scenario("ConfidentialVM", step, {"provider": "cocos", "manager": relay.address}, {})
        before = scenario.prepare(stage)
        process = take_apart(scenario, stage, before)
        tape.begin(KillPoint(f"{SERVICE}/{call}", 1, moment), process.kill)
        process.start()
        process.join()
        assert tape.struck, tape.calls
        tape.begin()
        stage.begin_deployment()
        vm = scenario.take(stage, before)
        if vm is None:
            assert manager.vms() == []
            assert list(stage.workspace.cvms.list()) == []
        else:
            is_lost = moment is Moment.AFTER
            assert_is_the_vm(stage, vm, manager, lost_machines=int(is_lost))
            stage.delete(vm)
            assert len(manager.vms()) == int(is_lost)
        stage.session.close()


def assert_is_the_vm(stage: Stage, vm: Live[Any], manager: OwnManager, *, lost_machines: int) -> None:
    """Prism knows the machine of the state, and lets no other in: one whose answer was lost ends by its time."""
    assert vm.state.cvm_id in manager.vms()
    assert len(manager.vms()) == 1 + lost_machines
    eventually(lambda: stage.workspace.cvms.get(vm.id).cvm_id == vm.state.cvm_id)
    valid = [item for item in stage.workspace.certificates.list(cvm_id=vm.id) if not item.revoked]
    assert len(valid) == 1
