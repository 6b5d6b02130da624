"""Runs on a real VM of this machine, seen through the client from the first to the last state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls
from prism_iac.hypervisor import VmSpec, open_hypervisor
from prism_iac.model import (
    AgentState,
    AssetKind,
    ComputationStatus,
    LogLevel,
    Platform,
    VmProvider,
    VmStatus,
    sha3_256,
)
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair
from prism_iac.prism import (
    ApiConflict,
    AssetContent,
    CvmRecord,
    Embedded,
    Rejected,
    RunRecord,
    Workspace,
)

PATIENCE_SECONDS = 60
PROGRAM = b"#!/bin/sh\necho said >&1\necho 42 > results/answer\n"


def eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def vm(embedded: Embedded, workspace: Workspace) -> Iterator[str]:
    """The id of a VM whose agent is ready."""
    cvm = workspace.cvms.create(
        provider="external", vcpus=2, platform=Platform.SEV_SNP, name="runner", agent_log_level=LogLevel.DEBUG
    )
    serial = next(workspace.certificates.list(cvm_id=cvm)).serial_number
    files = workspace.certificates.fetch(cvm, serial)
    hypervisor = open_hypervisor(VmProvider.LOCAL, data=embedded.data)
    spec = VmSpec(
        id=cvm,
        name="runner",
        platform=Platform.SEV_SNP,
        vcpus=2,
        agent_log_level=LogLevel.DEBUG,
        control_address=embedded.control_address,
        control_ca=files.ca_pem.encode(),
        client_certificate=files.certificate_pem.encode(),
        client_key=files.private_key_pem.encode(),
    )
    hypervisor.create(spec)
    try:
        eventually(lambda: workspace.cvms.get(cvm).is_ready)
        yield cvm
    finally:
        hypervisor.remove(cvm)


@pytest.fixture
def key() -> KeyPair:
    return generate_key_pair(KeyAlgorithm.ED25519)


@pytest.fixture
def computation(workspace: Workspace, key: KeyPair) -> str:
    """Ready to run: one participant brings the algorithm and takes the result."""
    made = workspace.computations.create(name=f"run {uuid4()}", description="d")
    owner = next(role for role in workspace.roles.list(made) if role.name == "owner")
    workspace.roles.add_actions(made, owner.id, ["algo_provider", "result_consumer"])
    workspace.computations.upload_key(made, key.public_pem.decode())
    content = AssetContent(AssetKind.ALGORITHM, "forty-two", sha3_256(PROGRAM).hex(), "answer.sh")
    workspace.assets.link(workspace.assets.create(content), made)
    assert workspace.computations.dry_run(made).is_ready
    return made


def latest(workspace: Workspace, computation: str) -> RunRecord:
    run = workspace.computations.latest_run(computation)
    assert run is not None
    return run


def free(workspace: Workspace, vm: str) -> CvmRecord:
    """The VM once it takes a computation; the backend resets an agent that is done by itself."""
    idle = (AgentState.RECEIVING_MANIFEST, AgentState.COMPLETE)
    eventually(lambda: workspace.cvms.get(vm).state in idle)
    return workspace.cvms.get(vm)


def test_a_vm_that_is_online_has_an_address_evidence_and_a_policy(workspace: Workspace, vm: str) -> None:
    record = workspace.cvms.get(vm)
    assert record.status is VmStatus.ONLINE
    assert record.agent_address is not None
    assert record.agent_address.startswith("127.0.0.1:")
    assert len(record.attestation) == 1184
    assert b"measurement" in workspace.cvms.attestation_policy(vm)
    assert [statistic.is_up for statistic in workspace.cvms.statistics(vm)] == [True]


def test_a_run_without_its_preconditions_says_what_is_missing(workspace: Workspace, vm: str) -> None:
    made = workspace.computations.create(name=f"bare {uuid4()}", description="d")
    with pytest.raises(Rejected) as caught:
        workspace.computations.run(made, vm)
    assert caught.value.dry_run is not None
    assert not caught.value.dry_run.is_ready


def test_a_run_goes_from_its_start_to_its_result(
    workspace: Workspace, vm: str, computation: str, key: KeyPair, tmp_path: Path
) -> None:
    address = free(workspace, vm).agent_address
    assert address is not None
    program = tmp_path / "answer.sh"
    program.write_bytes(PROGRAM)
    started = workspace.computations.run(computation, vm, idempotency_key="first")
    assert workspace.computations.run(computation, vm, idempotency_key="first") == started
    assert latest(workspace, computation).status is ComputationStatus.RUNNING
    with AgentClient.connect(address, tls=ClientTls()) as agent:
        agent.wait_until_serving(PATIENCE_SECONDS)
        agent.upload_algorithm(program, key.private_pem, kind=AlgorithmKind.BIN)
        eventually(lambda: latest(workspace, computation).status is ComputationStatus.COMPLETED)
        agent.fetch_result(key.private_pem, tmp_path / "result.zip")
    run = latest(workspace, computation)
    assert (run.id, run.number, run.cvm_id, run.computation_id) == (started, 1, vm, computation)
    assert run.start_time is not None
    assert run.end_time is not None
    assert run.end_time >= run.start_time
    assert list(workspace.computations.runs(computation_id=computation)) == [run]
    assert workspace.computations.get(computation).status is ComputationStatus.COMPLETED
    events = list(workspace.computations.events(computation, run_id=started))
    assert {"ReceivingAlgorithm", "ConsumingResults"} <= {event.event_type for event in events}
    assert workspace.computations.latest_event(computation) is not None
    eventually(lambda: any("said" in log.message for log in workspace.computations.logs(computation)))
    assert ComputationStatus.COMPLETED in [item.status for item in workspace.computations.statistics(days=1)]


def test_a_run_that_is_stopped_is_cancelled_and_the_vm_is_free_again(
    workspace: Workspace, vm: str, computation: str
) -> None:
    free(workspace, vm)
    started = workspace.computations.run(computation, vm)
    with pytest.raises(ApiConflict):
        workspace.computations.delete(computation)
    with pytest.raises(ApiConflict):
        workspace.cvms.delete(vm)
    workspace.computations.stop(computation)
    eventually(lambda: latest(workspace, computation).status is ComputationStatus.CANCELLED)
    assert [run.id for run in workspace.computations.runs(status=ComputationStatus.CANCELLED)] == [started]
    eventually(lambda: workspace.cvms.get(vm).is_ready)
