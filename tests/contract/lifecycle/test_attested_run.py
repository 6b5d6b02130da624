"""A run whose agent proves its VM: the bundle, the policy and the computation as a stack file would declare them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls, RequiredEvidence
from prism_iac.attestation import EvidenceRefused, PolicyDocument, SimulatedPlatform
from prism_iac.lifecycle import Live
from prism_iac.model import TlsMode
from tests.contract.lifecycle.stage import ADA, GRACE, PATIENCE_SECONDS, Stage

# The keys of bundles are RSA as a rule, with which no authenticator is signed.
KEY = {"algorithm": "rsa", "size": 2048}


@pytest.fixture
def bundle(stage: Stage) -> Live[Any]:
    return stage.create("CertificateBundle", "tls", mode="matls", key=KEY, ip_addresses=["127.0.0.1"])


@pytest.fixture
def run(stage: Stage, runnable: Live[Any], vm: Live[Any], bundle: Live[Any]) -> Iterator[Live[Any]]:
    files = {
        "cert_file": bundle.state.server_certificate,
        "server_key": bundle.state.server_key,
        "server_ca_file": bundle.state.ca_certificate,
        "client_ca_file": bundle.state.ca_certificate,
    }
    computation = stage.update(runnable, agent={"tls": "matls", **files})
    run = stage.create(
        "ComputationRun", "run", computation=computation.id, vm=vm.id, wait=False, stop_on_delete=True
    )
    yield run
    stage.delete(run)


@pytest.fixture
def tls(stage: Stage, vm: Live[Any], bundle: Live[Any]) -> ClientTls:
    policy = stage.create("AttestationPolicy", "snp", path="snp.json", vm=vm.id)
    required = RequiredEvidence(
        PolicyDocument.parse(policy.state.document.encode()),
        SimulatedPlatform.load(stage.data / "platform").root_pem,
    )
    state = bundle.state
    return ClientTls(
        TlsMode.MATLS,
        state.ca_certificate.encode(),
        state.client_certificate.encode(),
        state.client_key.encode(),
        required,
    )


def test_participants_upload_to_a_vm_that_has_proven_itself(
    stage: Stage, run: Live[Any], tls: ClientTls, numbers: Path, addition: Path
) -> None:
    with AgentClient.connect(run.state.agent_address, tls=tls) as agent:
        agent.wait_until_serving(PATIENCE_SECONDS)
        agent.upload_algorithm(addition, stage.keys[GRACE].private_pem, kind=AlgorithmKind.PYTHON)
        agent.upload_dataset(numbers, stage.keys[ADA].private_pem)
        stage.update(run, wait=True)
        archive = agent.fetch_result(stage.keys[ADA].private_pem, numbers.with_name("result.zip"))
    assert ZipFile(archive).read("sum.txt") == b"42"


def test_another_vm_of_the_same_hypervisor_is_refused(stage: Stage, run: Live[Any], tls: ClientTls) -> None:
    other = stage.create("ConfidentialVM", "other", vcpus=3)
    assert tls.required_evidence is not None
    policy = PolicyDocument.parse(other.state.attestation_policy.encode())
    required = RequiredEvidence(policy, tls.required_evidence.roots)
    wrong = ClientTls(
        tls.mode, tls.server_ca, tls.client_certificate, tls.client_key, required_evidence=required
    )
    with (
        AgentClient.connect(run.state.agent_address, tls=wrong) as agent,
        pytest.raises(EvidenceRefused) as caught,
    ):
        agent.wait_until_serving(PATIENCE_SECONDS)
    assert "launch measurement" in {claim.claim for claim in caught.value.failed}
    stage.delete(other)
