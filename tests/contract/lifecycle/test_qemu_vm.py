"""A VM that QEMU emulates, booted from the guest image, against the real backend."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls
from prism_iac.hypervisor.qemu.guest import find_image
from prism_iac.lifecycle import Live
from prism_iac.model import AgentState, ComputationStatus, VmProvider, VmStatus
from tests.contract.lifecycle.stage import ADA, GRACE, Stage, eventually

_UNPACKED = Path(".qemu/qemu-system-x86_64").absolute()
QEMU = shutil.which("qemu-system-x86_64") or shutil.which(str(_UNPACKED))
PATIENCE_SECONDS = 60.0
LINES = b"#!/bin/sh\nuname -r > results/kernel && wc -l datasets/* > results/lines\n"

pytestmark = [
    pytest.mark.skipif(QEMU is None, reason="there is no qemu-system-x86_64; `make guest` obtains it"),
    pytest.mark.skipif(
        find_image(os.environ) is None,
        reason="the guest image of this code is not built; `make guest` builds it",
    ),
]


@pytest.fixture
def guest(stage: Stage) -> Iterator[Live[Any]]:
    vm = stage.create(
        "ConfidentialVM",
        "guest",
        provider="qemu",
        qemu={
            "protection": "none",
            "evidence": "simulated",
            "acceleration": "off",
            "binary": QEMU,
            "memory_mib": 768,
        },
    )
    yield vm
    stage.delete(vm)
    assert stage.session.hypervisor(VmProvider.QEMU).list() == ()


def test_a_guest_boots_and_runs_computations_to_their_verified_results(
    stage: Stage, guest: Live[Any], numbers: Path, addition: Path, tmp_path: Path
) -> None:
    process = stage.session.hypervisor(VmProvider.QEMU).find(guest.id)
    assert process is not None
    assert guest.state.status is VmStatus.ONLINE
    assert guest.state.agent_address == process.agent_address
    # Simulated evidence says what the files of the launch are, as anybody who has them can tell.
    assert guest.state.measurement == process.launch_measurement
    assert guest.state.attestation == "accepted"
    assert "SIMULATED" in guest.state.attestation_policy
    assert stage.drift(guest) == {}

    program = tmp_path / "lines.sh"
    program.write_bytes(LINES)
    with _result(stage, guest, program, AlgorithmKind.BIN, numbers) as results:
        assert results.read("lines").startswith(b"3 ")
        assert results.read("kernel").decode().strip() != os.uname().release
    with _result(stage, guest, addition, AlgorithmKind.PYTHON, numbers) as results:
        assert results.read("sum.txt") == b"42"


def _result(stage: Stage, guest: Live[Any], program: Path, kind: AlgorithmKind, numbers: Path) -> ZipFile:
    """What a run on the guest gives, from the manifest to the verified result."""
    computation = stage.computation(
        kind,
        algorithm=stage.algorithm(program).id,
        datasets=[stage.dataset(numbers).id],
        result_consumers=[ADA],
    )
    stage.register_keys(computation, ADA, GRACE)
    run = stage.create("ComputationRun", kind, computation=computation.id, vm=guest.id, wait=False)
    # Until it has this manifest the agent may still serve, and then close, the port of the run before.
    eventually(lambda: stage.workspace.cvms.get(guest.id).state is AgentState.RECEIVING_ALGORITHM)
    with AgentClient.connect(run.state.agent_address, tls=ClientTls()) as agent:
        agent.wait_until_serving(PATIENCE_SECONDS)
        agent.upload_algorithm(program, stage.keys[GRACE].private_pem, kind=kind)
        agent.upload_dataset(numbers, stage.keys[ADA].private_pem)
    ended = stage.update(run, wait=True)
    assert ended.state.status is ComputationStatus.COMPLETED
    archive = stage.fetch_result(ended, program.with_suffix(".zip"))
    assert hashlib.sha3_256(archive.read_bytes()).hexdigest() == ended.state.result_sha3_256
    stage.delete(ended)
    return ZipFile(archive)
