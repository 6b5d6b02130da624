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
from prism_iac.hypervisor import Hypervisor, open_hypervisor
from prism_iac.hypervisor.qemu.guest import find_image
from prism_iac.lifecycle import Live
from prism_iac.model import ComputationStatus, VmProvider, VmStatus
from tests.contract.lifecycle.stage import ADA, GRACE, Stage

_UNPACKED = Path(".qemu/qemu-system-x86_64").absolute()
QEMU = shutil.which("qemu-system-x86_64") or shutil.which(str(_UNPACKED))
ANSWER = b"#!/bin/sh\ngrep -c model /proc/cpuinfo > /dev/null && uname -r > results/kernel && wc -l datasets/* > results/lines\n"

pytestmark = [
    pytest.mark.skipif(QEMU is None, reason="there is no qemu-system-x86_64; `make guest` obtains it"),
    pytest.mark.skipif(
        find_image(os.environ) is None,
        reason="the guest image of this code is not built; `make guest` builds it",
    ),
]


@pytest.fixture
def hypervisor(data: Path) -> Hypervisor:
    return open_hypervisor(VmProvider.QEMU, data=data)


@pytest.fixture
def guest(stage: Stage, hypervisor: Hypervisor) -> Iterator[Live[Any]]:
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
    assert hypervisor.list() == ()


def test_a_guest_boots_and_runs_a_computation_to_its_verified_result(
    stage: Stage, hypervisor: Hypervisor, guest: Live[Any], numbers: Path, tmp_path: Path
) -> None:
    process = hypervisor.find(guest.id)
    assert process is not None
    assert guest.state.status is VmStatus.ONLINE
    assert guest.state.agent_address == process.agent_address
    # Simulated evidence says what the files of the launch are, as anybody who has them can tell.
    assert guest.state.measurement == process.launch_measurement
    assert guest.state.attestation == "accepted"
    assert '"SIMULATED"' in guest.state.attestation_policy

    program = tmp_path / "answer.sh"
    program.write_bytes(ANSWER)
    computation = stage.computation(
        algorithm=stage.algorithm(program).id, datasets=[stage.dataset(numbers).id], result_consumers=[ADA]
    )
    stage.register_keys(computation, ADA, GRACE)
    run = stage.create(
        "ComputationRun", "run", computation=computation.id, vm=guest.id, wait=False, stop_on_delete=True
    )
    with AgentClient.connect(run.state.agent_address, tls=ClientTls()) as agent:
        agent.wait_until_serving(60)
        agent.upload_algorithm(program, stage.keys[GRACE].private_pem, kind=AlgorithmKind.BIN)
        agent.upload_dataset(numbers, stage.keys[ADA].private_pem)
    ended = stage.update(run, wait=True)
    assert ended.state.status is ComputationStatus.COMPLETED
    archive = stage.fetch_result(ended, tmp_path / "result.zip")
    assert hashlib.sha3_256(archive.read_bytes()).hexdigest() == ended.state.result_sha3_256
    with ZipFile(archive) as results:
        assert results.read("kernel").decode().strip() != os.uname().release
        assert results.read("lines").startswith(b"3 ")
