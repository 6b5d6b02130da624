"""Evidence of the simulated platform: to Prism at the connection, to participants on demand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from prism_iac.agent import (
    AgentClient,
    AgentFailed,
    AgentRefused,
    AgentUnreachable,
    ClientTls,
    EvidenceType,
    fetch_evidence,
)
from prism_iac.agent._socket import socket_target
from prism_iac.attestation import (
    Evidence,
    SimulatedGuest,
    SnpReport,
    policy_from_evidence,
    verify_report,
)
from prism_iac.errors import VerificationFailure
from prism_iac.pki import load_certificates
from prism_iac.wire.agent_pb2 import IMAMeasurementsRequest
from prism_iac.wire.agent_pb2_grpc import AgentServiceStub
from tests.contract.agent.control import PATIENCE_SECONDS
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import Vm

NONCE = bytes(range(64))


def test_prism_is_greeted_with_a_report_over_the_vms_certificate(proven: Scene) -> None:
    greeting = proven.control.wait_for(
        lambda message: message.HasField("vTPMattestationReport")
    ).vTPMattestationReport
    certificate = Path(proven.vm.certificates["AGENT_CVM_GRPC_CLIENT_CERT"]).read_bytes()
    report = SnpReport.parse(greeting.file)
    assert report.report_data == hashlib.sha512(certificate).digest()
    assert report.measurement == b"\x42" * 48
    assert greeting.certSerialNumber == str(load_certificates(certificate)[0].serial_number)


def test_a_participant_gets_evidence_that_verifies_for_its_nonce_alone(
    proven: Scene, guest: SimulatedGuest
) -> None:
    proven.begin(b"x")
    with proven.connect() as client:
        evidence = Evidence.parse(client.fetch_attestation(tee_nonce=NONCE))
        short = Evidence.parse(client.fetch_attestation(tee_nonce=b"short"))
    assert short.report.report_data == b"short".ljust(64, b"\0")
    policy = policy_from_evidence(evidence.report)

    def verify(evidence: Evidence, nonce: bytes) -> None:
        roots = guest.platform.root_pem
        verify_report(evidence, policy, roots=roots, now=datetime.now(UTC), report_data=nonce)

    verify(evidence, NONCE)
    with pytest.raises(VerificationFailure):
        verify(evidence, bytes(64))
    forged = replace(evidence, report=replace(evidence.report, measurement=bytes(48)))
    with pytest.raises(VerificationFailure):
        verify(forged, NONCE)


@pytest.mark.parametrize("kind", [kind for kind in EvidenceType if kind is not EvidenceType.SNP])
def test_evidence_of_another_platform_is_refused(proven: Scene, kind: EvidenceType) -> None:
    proven.begin(b"x")
    with proven.connect() as client, pytest.raises(AgentRefused, match="failed to get raw quote : "):
        client.fetch_attestation(tee_nonce=NONCE, evidence_type=kind)


def test_a_platform_without_its_files_does_not_start(make_vm: Callable[..., Vm], tmp_path: Path) -> None:
    vm = make_vm(AGENT_PLATFORM="simulated-sev-snp", AGENT_PLATFORM_DIR=str(tmp_path / "nowhere"))
    assert vm.process is not None
    assert vm.process.wait(PATIENCE_SECONDS) == 2
    assert "AGENT_PLATFORM_DIR: " in vm.console.read_text()


def test_the_keeper_of_a_vm_gets_evidence_before_and_during_a_computation(
    proven: Scene, keeper: Path, guest: SimulatedGuest
) -> None:
    policy = policy_from_evidence(guest.attest(bytes(64)).report)

    def proves(nonce: bytes) -> None:
        evidence = Evidence.parse(fetch_evidence(keeper, nonce=nonce, timeout_seconds=PATIENCE_SECONDS))
        held = nonce.ljust(64, b"\0")
        now, roots = datetime.now(UTC), guest.platform.root_pem
        verify_report(evidence, policy, roots=roots, now=now, report_data=held)

    proves(b"before")
    proven.begin(b"x")
    proves(b"during")


@pytest.mark.usefixtures("proven")
def test_the_keeper_gets_nothing_that_could_be_the_evidence_of_a_connection(keeper: Path) -> None:
    with pytest.raises(AgentRefused):
        fetch_evidence(keeper, nonce=NONCE, timeout_seconds=PATIENCE_SECONDS)


def test_the_keeper_can_ask_for_evidence_alone(proven: Scene, keeper: Path, tmp_path: Path) -> None:
    with (
        socket_target(keeper) as target,
        AgentClient.connect(target, tls=ClientTls()) as agent,
        pytest.raises(AgentFailed) as refused,
    ):
        agent.fetch_result(proven.key.private_pem, tmp_path / "result")
    assert refused.value.code == "UNIMPLEMENTED"


def test_where_no_agent_is_nobody_answers(tmp_path: Path) -> None:
    for path in (tmp_path / "evidence.sock", tmp_path / "absent" / "evidence.sock"):
        with pytest.raises(AgentUnreachable):
            fetch_evidence(path, nonce=b"n", timeout_seconds=PATIENCE_SECONDS)


def test_a_simulated_guest_tells_what_it_ran(proven: Scene) -> None:
    script = b"#!/bin/sh\necho x > results/x\n"
    proven.run(script)
    with grpc.insecure_channel(proven.vm.address) as channel:
        call = AgentServiceStub(channel).IMAMeasurements(IMAMeasurementsRequest())
        sizes = [value for key, value in call.initial_metadata() if key == "file-size"]
        (message,) = call
    assert sizes == [str(len(message.file))]
    assert len(message.pcr10) == 20
    assert [line.split()[3] for line in message.file.decode().splitlines()] == [
        f"sha256:{hashlib.sha256(content).hexdigest()}" for content in (b"\x42" * 48, script)
    ]
