"""VMs of the local hypervisor with the real agent in them."""

from __future__ import annotations

import os
import shutil
import signal
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from prism_iac.agent import AgentClient, AgentUnreachable, AlgorithmKind, ClientTls, NotReady
from prism_iac.attestation import SimulatedPlatform, SnpReport, policy_from_evidence
from prism_iac.hypervisor import Hypervisor, Vm, VmSpec, open_hypervisor
from prism_iac.model import LogLevel, Platform, VmProvider
from prism_iac.model.resources import KeyAlgorithm, KeySpec, VmLimits
from prism_iac.pki import Authority, generate_key_pair
from tests.contract.agent.control import Control, ControlServer
from tests.contract.agent.vm import eventually, manifest, processes_in

NOW = datetime.now(UTC)
A_DAY = timedelta(days=1)
EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)
KEY = generate_key_pair(KeyAlgorithm.ED25519)
RESULT = b"#!/bin/sh\nulimit -d > results/memory\n"


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create("Test CA", key=EC, now=NOW, validity=A_DAY)


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
def server(control: Control, authority: Authority) -> Iterator[ControlServer]:
    own = authority.issue(common_name="prism", ip_addresses=["127.0.0.1"], key=EC, now=NOW, validity=A_DAY)
    server = ControlServer(
        control,
        grpc.ssl_server_credentials(
            [(own.key_pem, own.certificate_pem)], authority.certificate_pem, require_client_auth=True
        ),
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def platform_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("platform")
    SimulatedPlatform.create(chip_id=bytes(64), now=NOW).save(folder)
    return folder


@pytest.fixture
def hypervisor(tmp_path: Path, platform_folder: Path) -> Iterator[Hypervisor]:
    shutil.copytree(platform_folder, tmp_path / "data" / "platform")
    hypervisor = open_hypervisor(VmProvider.LOCAL, data=tmp_path / "data")
    yield hypervisor
    for vm in hypervisor.list():
        hypervisor.remove(vm.id)
    assert processes_in(tmp_path) == []


@pytest.fixture
def spec(authority: Authority, server: ControlServer) -> VmSpec:
    own = authority.issue(common_name="vm-1", uris=["urn:prism:cvm:vm-1"], key=EC, now=NOW, validity=A_DAY)
    return VmSpec(
        id="vm-1",
        name="trainer",
        platform=Platform.SEV_SNP,
        vcpus=2,
        agent_log_level=LogLevel.DEBUG,
        control_address=server.url,
        control_ca=authority.certificate_pem,
        client_certificate=own.certificate_pem,
        client_key=own.key_pem,
        limits=VmLimits(memory_mib=256, processes=16, run_time="60s"),
    )


def _participate(vm: Vm, control: Control, folder: Path, algorithm: bytes) -> None:
    """Send a manifest and upload the algorithm."""
    control.send_manifest(manifest(KEY, algorithm))
    assert control.wait_for_run_response() == ""
    (folder / "algorithm").write_bytes(algorithm)
    with AgentClient.connect(vm.agent_address, tls=ClientTls()) as client:
        client.wait_until_serving(10)
        client.upload_algorithm(folder / "algorithm", KEY.private_pem, kind=AlgorithmKind.BIN)


def test_an_agent_reports_with_its_address_and_the_evidence_of_its_launch(
    hypervisor: Hypervisor, control: Control, spec: VmSpec
) -> None:
    vm = hypervisor.create(spec)
    control.wait_for_streams(1)
    greeting = control.wait_for(lambda message: message.HasField("vTPMattestationReport"))
    assert control.streams[0].metadata["job-id"] == "vm-1"
    assert control.streams[0].metadata["agent-address"] == vm.agent_address
    report = SnpReport.parse(greeting.vTPMattestationReport.file)
    platform = SimulatedPlatform.load(vm.folder.parent.parent / "platform")
    launched = platform.attest(
        measurement=report.measurement, report_data=bytes(64), report_id=report.report_id
    )
    assert policy_from_evidence(report) == policy_from_evidence(launched.report)
    assert control.state() == "ReceivingManifest"


def test_a_whole_run_in_a_vm_keeps_to_its_limits(
    hypervisor: Hypervisor, control: Control, spec: VmSpec, tmp_path: Path
) -> None:
    vm = hypervisor.create(spec)
    control.wait_for_streams(1)
    _participate(vm, control, tmp_path, RESULT)
    control.wait_for_event("ConsumingResults", "Ready")
    with AgentClient.connect(vm.agent_address, tls=ClientTls()) as client:
        archive = client.fetch_result(KEY.private_pem, tmp_path / "result.zip")
    with zipfile.ZipFile(archive) as files:
        assert files.read("memory") == b"%d\n" % (256 * 1024)


def test_a_removed_vm_takes_its_running_algorithm_with_it(
    hypervisor: Hypervisor, control: Control, spec: VmSpec, tmp_path: Path
) -> None:
    vm = hypervisor.create(spec)
    control.wait_for_streams(1)
    _participate(vm, control, tmp_path, b"#!/bin/sh\nsetsid sleep 6301 & sleep 6302\n")
    eventually(lambda: len(processes_in(tmp_path, "sleep\x006301")) == 1)
    hypervisor.remove(vm.id)
    assert processes_in(tmp_path, "sleep\x00630") == []
    assert not vm.folder.exists()
    with (
        AgentClient.connect(vm.agent_address, tls=ClientTls()) as client,
        pytest.raises((AgentUnreachable, NotReady)),
    ):
        client.wait_until_serving(0.2)


def test_a_vm_whose_agent_was_killed_comes_back_under_its_address(
    hypervisor: Hypervisor, control: Control, spec: VmSpec, tmp_path: Path
) -> None:
    first = hypervisor.create(spec)
    control.wait_for_streams(1)
    _participate(first, control, tmp_path, b"#!/bin/sh\nsleep 6401\n")
    eventually(lambda: len(processes_in(tmp_path, "sleep\x006401")) == 1)
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: not hypervisor.list()[0].running)
    second = hypervisor.create(spec)
    control.wait_for_streams(2)
    assert second.agent_address == first.agent_address
    assert second.pid != first.pid
    eventually(lambda: processes_in(tmp_path, "sleep\x006401") == [])


def test_an_agent_whose_vm_prism_does_not_know_ends_by_itself(
    hypervisor: Hypervisor, control: Control, spec: VmSpec
) -> None:
    control.is_inactive = True
    vm = hypervisor.create(spec)

    def has_ended() -> bool:
        found = hypervisor.find(vm.id)
        return found is not None and not found.running

    eventually(has_ended)
