"""The life of a local VM against the real backend, with a real agent in it."""

from __future__ import annotations

import base64
import json
import os
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prism_iac.attestation import PolicyDocument
from prism_iac.errors import InvalidInput, PartialResult, VerificationFailure
from prism_iac.hypervisor import Vm, open_hypervisor
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.lifecycle import HANDLERS, Live, diff
from prism_iac.model import VmProvider, VmStatus
from prism_iac.model.resources import ConfidentialVM
from tests.contract.lifecycle.stage import Stage, eventually


def process_of(stage: Stage, vm: Live[Any]) -> Vm | None:
    return open_hypervisor(VmProvider.LOCAL, data=stage.data).find(vm.id)


def kill(stage: Stage, vm: Live[Any]) -> None:
    """The machine loses the VM."""
    process = process_of(stage, vm)
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)
    eventually(lambda: (seen := process_of(stage, vm)) is None or not seen.running)


def live_records(stage: Stage) -> list[str]:
    return [record.id for record in stage.workspace.cvms.list()]


def test_it_is_ready_when_the_create_returns(vm: Live[Any]) -> None:
    assert vm.state.status is VmStatus.ONLINE
    assert vm.state.state == "ReceivingManifest"
    host, _, port = vm.state.agent_address.rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


def test_the_stages_are_told(stage: Stage, vm: Live[Any]) -> None:
    assert stage.lines[-1] == "online ReceivingManifest"
    assert vm.id


def test_its_name_is_its_own(vm: Live[Any]) -> None:
    assert vm.state.name.startswith("trainer-")


def test_its_policy_is_the_one_of_its_evidence(vm: Live[Any]) -> None:
    policy = json.loads(vm.state.attestation_policy)
    assert "SIMULATED" in policy["policy"]["product"]["name"]


def test_a_repeated_create_finds_the_same_vm_and_process(stage: Stage, vm: Live[Any]) -> None:
    before = process_of(stage, vm)
    stage.begin_deployment()
    assert stage.create("ConfidentialVM", "trainer").id == vm.id
    after = process_of(stage, vm)
    assert before is not None
    assert after is not None
    assert after.pid == before.pid
    assert live_records(stage) == [vm.id]


def test_a_replacement_is_another_vm(stage: Stage, vm: Live[Any]) -> None:
    other = stage.create("ConfidentialVM", "trainer", generation=1, vcpus=4)
    assert other.id != vm.id
    stage.delete(other)
    assert live_records(stage) == [vm.id]


@pytest.mark.fault(11)
def test_one_whose_process_died_is_gone(stage: Stage, vm: Live[Any]) -> None:
    kill(stage, vm)
    assert stage.read(vm) is None


@pytest.mark.fault(11)
def test_one_whose_process_died_is_started_again_under_its_id(stage: Stage, vm: Live[Any]) -> None:
    kill(stage, vm)
    stage.begin_deployment()
    assert stage.create("ConfidentialVM", "trainer").id == vm.id
    assert stage.read(vm) is not None


@pytest.mark.fault(24)
def test_one_that_was_removed_at_prism_is_gone(stage: Stage, vm: Live[Any]) -> None:
    stage.workspace.cvms.delete(vm.id)
    assert stage.read(vm) is None


def test_a_delete_leaves_no_process_and_no_live_record(stage: Stage) -> None:
    vm = stage.create("ConfidentialVM", "short")
    stage.delete(vm)
    assert process_of(stage, vm) is None
    assert live_records(stage) == []


@pytest.mark.fault(21)
def test_a_delete_of_what_is_gone_is_fine(stage: Stage) -> None:
    vm = stage.create("ConfidentialVM", "short")
    stage.delete(vm)
    stage.delete(vm)
    assert stage.read(vm) is None


@pytest.mark.fault(9, 10)
def test_one_that_is_not_ready_in_time_keeps_its_id(stage: Stage) -> None:
    with pytest.raises(PartialResult, match="is not ready after 0s") as late:
        stage.create("ConfidentialVM", "late", ready_timeout="0s")
    assert live_records(stage) == [late.value.id]
    ready = stage.create("ConfidentialVM", "late")
    assert ready.id == late.value.id
    stage.delete(ready)


@pytest.mark.fault(11)
def test_one_whose_process_ends_while_it_starts_is_not_awaited(stage: Stage) -> None:
    inputs = stage.check("ConfidentialVM", "doomed")
    surroundings = stage.context("doomed", inputs["identity"])

    def lose_the_vm(_: float) -> None:
        (vm,) = open_hypervisor(VmProvider.LOCAL, data=stage.data).list()
        with suppress(ProcessLookupError):
            os.killpg(vm.pid, signal.SIGKILL)

    with pytest.raises(PartialResult, match="the process of the VM ended while it started") as lost:
        HANDLERS["ConfidentialVM"].create(
            ConfidentialVM.parse(inputs), replace(surroundings, pause=lose_the_vm)
        )
    assert "console.log" in lost.value.next_step
    ready = stage.create("ConfidentialVM", "doomed")
    assert ready.id == lost.value.id
    stage.delete(ready)


def test_a_cloud_is_refused_by_the_embedded_backend_before_any_call(stage: Stage) -> None:
    with pytest.raises(InvalidInput, match="the embedded backend has no account at gcp"):
        stage.check("ConfidentialVM", "vm", provider="gcp", vcpus=2)


def test_an_external_one_is_recorded_and_not_awaited(stage: Stage) -> None:
    vm = stage.create("ConfidentialVM", "bare-metal", provider="external")
    assert vm.state.status is VmStatus.CREATING
    stage.delete(vm)


class TestAttestation:
    """A read asks the agent for fresh evidence."""

    def outputs(self, live: Live[Any]) -> dict[str, Any]:
        return {name: getattr(live.state, name) for name in ("measurement", "reported_tcb", "attestation")}

    def is_due(self, stage: Stage, live: Live[Any]) -> bool:
        context = stage.context("trainer", live.state.identity)
        state = live.state
        return bool(diff(HANDLERS["ConfidentialVM"], state.properties(), state.inputs(), context))

    def restart_with(self, stage: Stage, vm: Live[Any], **facts: Any) -> None:
        """Somebody starts the VM again as another one."""
        hypervisor = LocalHypervisor(stage.data)
        hypervisor.stop(vm.id)
        process = process_of(stage, vm)
        assert process is not None
        file = process.folder / "vm.json"
        file.write_text(json.dumps(json.loads(file.read_bytes()) | facts))
        hypervisor.start(vm.id)
        eventually(lambda: Path(process.folder / "evidence.sock").exists())
        eventually(lambda: stage.workspace.cvms.get(vm.id).status is VmStatus.ONLINE)

    def test_a_ready_vm_has_proven_itself(self, stage: Stage, vm: Live[Any]) -> None:
        policy = PolicyDocument.parse(vm.state.attestation_policy.encode()).snp_policy()
        assert policy.policy.measurement == bytes.fromhex(vm.state.measurement)
        assert vm.state.reported_tcb == "boot loader 1, TEE 1, SNP 1, microcode 1"
        assert vm.state.attestation == "accepted"
        seen = stage.read(vm)
        assert seen is not None
        assert seen.state == vm.state

    def test_one_that_was_swapped_for_another_is_shown_until_somebody_acts(
        self, stage: Stage, vm: Live[Any]
    ) -> None:
        self.restart_with(stage, vm, vcpus=4)
        swapped = stage.read(vm)
        assert swapped is not None
        assert swapped.state.measurement != vm.state.measurement
        assert swapped.state.attestation.startswith("refused; launch measurement is ")
        assert swapped.state.attestation_policy == vm.state.attestation_policy
        # It does not get better by looking again, and a plan says so.
        again = stage.read(swapped)
        assert again is not None
        assert self.outputs(again) == self.outputs(swapped)
        assert self.is_due(stage, swapped)
        with pytest.raises(VerificationFailure, match="refused; launch measurement is"):
            stage.update(swapped)

    def test_one_that_comes_back_as_it_was_is_accepted(self, stage: Stage, vm: Live[Any]) -> None:
        self.restart_with(stage, vm)
        seen = stage.read(vm)
        assert seen is not None
        assert self.outputs(seen) == self.outputs(vm)
        assert not self.is_due(stage, seen)

    def test_one_whose_agent_does_not_answer_is_not_taken_for_proven(
        self, stage: Stage, vm: Live[Any]
    ) -> None:
        process = process_of(stage, vm)
        assert process is not None
        (process.folder / "evidence.sock").unlink()
        seen = stage.read(vm)
        assert seen is not None
        assert self.outputs(seen) == {
            "measurement": None,
            "reported_tcb": None,
            "attestation": "failed: the agent does not answer",
        }

    def test_one_without_an_agent_here_is_not_asked(self, stage: Stage) -> None:
        vm = stage.create("ConfidentialVM", "bare-metal", provider="external")
        assert set(self.outputs(vm).values()) == {None}
        stage.delete(vm)


class TestDeclaredPolicy:
    """A VM may be held to a policy that is not its own."""

    def policy(self, vm: Live[Any], **fields: Any) -> str:
        document = PolicyDocument.parse(vm.state.attestation_policy.encode())
        return document.with_fields("policy", fields).to_bytes().decode()

    def test_one_that_meets_it_is_made_and_read_as_it_is(self, stage: Stage, vm: Live[Any]) -> None:
        held = stage.create("ConfidentialVM", "held", policy=self.policy(vm))
        assert held.state.attestation == "accepted"
        seen = stage.read(held)
        assert seen is not None
        assert seen.state == held.state
        stage.delete(held)

    def test_one_that_does_not_is_recorded_and_not_taken_for_ready(self, stage: Stage, vm: Live[Any]) -> None:
        other = base64.b64encode(bytes([7]) * 48).decode()
        with pytest.raises(
            PartialResult, match=r"does not meet its policy.*launch measurement is"
        ) as refused:
            stage.create("ConfidentialVM", "foreign", policy=self.policy(vm, measurement=other))
        state = HANDLERS["ConfidentialVM"].model.parse(refused.value.state)
        live: Live[Any] = Live(refused.value.id, state)
        with pytest.raises(VerificationFailure, match="launch measurement is"):
            stage.update(live)
        # Another policy is an update of the same VM.
        assert stage.update(live, policy=self.policy(vm)).state.attestation == "accepted"
        stage.delete(live)
