from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from prism_iac.agent import RequiredEvidence
from prism_iac.attestation import Launch, SimulatedGuest, SimulatedPlatform, policy_from_evidence
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, IssuedCertificate, KeyPair, generate_key_pair
from tests.contract.agent.control import Control, ControlServer
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import Vm

NOW = datetime.now(UTC)
A_DAY = timedelta(days=1)
EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create("Test CA", key=EC, now=NOW, validity=A_DAY)


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return Authority.create("Stranger", key=EC, now=NOW, validity=A_DAY)


@pytest.fixture(scope="session")
def issue(authority: Authority) -> Callable[[str], IssuedCertificate]:
    def issue(name: str) -> IssuedCertificate:
        return authority.issue(
            common_name=name,
            dns_names=["localhost"],
            ip_addresses=["127.0.0.1"],
            key=EC,
            now=NOW,
            validity=A_DAY,
        )

    return issue


@pytest.fixture(scope="session")
def key() -> KeyPair:
    return generate_key_pair(KeyAlgorithm.ED25519)


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
def server(
    control: Control, authority: Authority, issue: Callable[[str], IssuedCertificate]
) -> Iterator[ControlServer]:
    server = ControlServer(control, server_credentials(authority, issue))
    server.start()
    yield server
    server.stop()


def server_credentials(
    authority: Authority, issue: Callable[[str], IssuedCertificate]
) -> grpc.ServerCredentials:
    own = issue("prism")
    return grpc.ssl_server_credentials(
        [(own.key_pem, own.certificate_pem)],
        root_certificates=authority.certificate_pem,
        require_client_auth=True,
    )


@pytest.fixture
def make_vm(
    tmp_path: Path,
    server: ControlServer,
    authority: Authority,
    issue: Callable[[str], IssuedCertificate],
) -> Iterator[Callable[..., Vm]]:
    """Starts agents; extra variables by keyword."""
    own = issue("vm-1")
    files = {
        "AGENT_CVM_GRPC_CLIENT_CERT": own.certificate_pem,
        "AGENT_CVM_GRPC_CLIENT_KEY": own.key_pem,
        "AGENT_CVM_GRPC_SERVER_CA_CERTS": authority.certificate_pem,
    }
    variables = {}
    for name, content in files.items():
        path = tmp_path / f"{name}.pem"
        path.write_bytes(content)
        variables[name] = str(path)
    vms: list[Vm] = []

    def make_vm(**extra: str) -> Vm:
        vm = Vm(tmp_path / f"vm-{len(vms)}", server.url, variables, extra)
        vms.append(vm)
        vm.start()
        return vm

    yield make_vm
    for vm in vms:
        if vm.process is not None and vm.process.poll() is None:
            vm.kill()


@pytest.fixture
def vm(make_vm: Callable[..., Vm], control: Control) -> Vm:
    """An agent that is connected."""
    vm = make_vm()
    control.wait_for_streams(1)
    return vm


@pytest.fixture
def scene(vm: Vm, control: Control, key: KeyPair, tmp_path: Path) -> Scene:
    return Scene(vm, control, key, tmp_path)


@pytest.fixture(scope="session")
def guest() -> SimulatedGuest:
    platform = SimulatedPlatform.create(chip_id=bytes(64), now=datetime.now(UTC))
    return SimulatedGuest(platform, Launch(measurement=b"\x42" * 48, report_id=b"\x07" * 32))


@pytest.fixture
def keeper(tmp_path: Path) -> Path:
    """Where the keeper of a VM asks for evidence; longer than the address of a socket may be."""
    path = tmp_path / "deep" / ("d" * 120) / "evidence.sock"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def proven(
    make_vm: Callable[..., Vm], control: Control, key: KeyPair, guest: SimulatedGuest, keeper: Path
) -> Scene:
    folder = keeper.parent / "platform"
    folder.mkdir()
    guest.save(folder)
    vm = make_vm(
        AGENT_PLATFORM="simulated-sev-snp", AGENT_PLATFORM_DIR=str(folder), AGENT_EVIDENCE_SOCKET=str(keeper)
    )
    control.wait_for_streams(1)
    return Scene(vm, control, key, folder)


@pytest.fixture(scope="session")
def required(guest: SimulatedGuest) -> RequiredEvidence:
    """What participants ask of that guest."""
    report = guest.attest(bytes(64)).report
    return RequiredEvidence(policy_from_evidence(report), guest.platform.root_pem)
