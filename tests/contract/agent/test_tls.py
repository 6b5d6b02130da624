"""The participants' port in every TLS mode, with real handshakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from prism_iac.agent import AgentClient, AgentUnproven, AgentUnreachable, ClientTls, RequiredEvidence
from prism_iac.model import TlsMode
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, IssuedCertificate, KeyPair
from prism_iac.wire.cvms_pb2 import AgentConfig
from tests.contract.agent.control import Control
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import manifest

ALGORITHM = b"#!/bin/sh\necho x > results/x\n"
EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)

Issue = Callable[[str], IssuedCertificate]


def config_of(mode: TlsMode, authority: Authority, own: IssuedCertificate) -> AgentConfig:
    if mode is TlsMode.NONE:
        return AgentConfig()
    if mode is TlsMode.ATLS:
        return AgentConfig(attested_tls=True)
    config = AgentConfig(
        attested_tls=mode.is_attested, cert_file=own.certificate_pem.decode(), key_file=own.key_pem.decode()
    )
    if mode in (TlsMode.MTLS, TlsMode.MATLS):
        config.client_ca_file = authority.certificate_pem.decode()
        config.server_ca_file = authority.certificate_pem.decode()
    return config


def tls_of(
    mode: TlsMode, authority: Authority, own: IssuedCertificate, required: RequiredEvidence | None = None
) -> ClientTls:
    # An agent that makes its own certificate has none of a CA.
    ca = None if mode is TlsMode.ATLS else authority.certificate_pem
    return ClientTls(mode, ca, own.certificate_pem, own.key_pem, required)


@pytest.mark.parametrize("mode", TlsMode)
def test_a_run_goes_through_in_each_mode(
    proven: Scene, authority: Authority, issue: Issue, required: RequiredEvidence, mode: TlsMode
) -> None:
    proven.begin(ALGORITHM, {"iris.csv": b"5.1"}, config=config_of(mode, authority, issue("agent")))
    with proven.connect(tls_of(mode, authority, issue("ada"), required)) as client:
        proven.upload_algorithm(client)
        proven.upload_dataset(client, "iris.csv")
        proven.control.wait_for_event("ConsumingResults", "Ready")
        assert proven.fetch(client)


def test_only_participants_of_the_client_ca_are_let_in(
    scene: Scene, authority: Authority, issue: Issue, stranger: Authority
) -> None:
    foreign = stranger.issue(
        common_name="eve", key=EC, now=datetime.now(UTC), validity=timedelta(days=1), dns_names=["localhost"]
    )
    scene.begin(ALGORITHM, config=config_of(TlsMode.MTLS, authority, issue("agent")))
    for tls in (
        ClientTls(),
        tls_of(TlsMode.TLS, authority, foreign),
        tls_of(TlsMode.MTLS, authority, foreign),
    ):
        with (
            AgentClient.connect(scene.vm.address, tls=tls) as client,
            pytest.raises(AgentUnreachable),
        ):
            client.wait_until_serving(0.3)


def test_an_agent_of_another_ca_is_refused_at_once(
    scene: Scene, authority: Authority, issue: Issue, stranger: Authority
) -> None:
    scene.begin(ALGORITHM, config=config_of(TlsMode.TLS, authority, issue("agent")))
    tls = ClientTls(TlsMode.TLS, stranger.certificate_pem)
    with AgentClient.connect(scene.vm.address, tls=tls) as client:
        with pytest.raises(AgentUnproven, match="not from the given CA"):
            client.wait_until_serving(600)
        with pytest.raises(AgentUnproven, match="not from the given CA"):
            scene.upload_algorithm(client)


def test_an_agent_whose_certificate_is_for_another_address_is_refused_at_once(
    scene: Scene, authority: Authority
) -> None:
    own = authority.issue(
        common_name="agent",
        key=EC,
        now=datetime.now(UTC),
        validity=timedelta(days=1),
        dns_names=["localhost"],
    )
    scene.begin(ALGORITHM, config=config_of(TlsMode.TLS, authority, own))
    tls = ClientTls(TlsMode.TLS, authority.certificate_pem)
    with (
        AgentClient.connect(scene.vm.address, tls=tls) as client,
        pytest.raises(AgentUnproven, match="ip_addresses"),
    ):
        client.wait_until_serving(600)


def test_the_files_may_be_paths_in_the_vm(scene: Scene, authority: Authority, issue: Issue) -> None:
    own = issue("agent")
    certificate, key_file = scene.folder / "cert.pem", scene.folder / "key.pem"
    certificate.write_bytes(own.certificate_pem)
    key_file.write_bytes(own.key_pem)
    scene.begin(ALGORITHM, config=AgentConfig(cert_file=str(certificate), key_file=str(key_file)))
    with scene.connect(ClientTls(TlsMode.TLS, authority.certificate_pem)):
        pass


def test_files_that_do_not_work_are_answered_before_anybody_connects(
    scene: Scene, authority: Authority, issue: Issue, control: Control, key: KeyPair
) -> None:
    own, other = issue("agent"), issue("other")
    certificate, own_key = own.certificate_pem.decode(), own.key_pem.decode()
    cases = {
        "no-key": (AgentConfig(cert_file=certificate), "agent_config.key_file: is missing"),
        "no-certificate": (AgentConfig(key_file=own_key), "agent_config.cert_file: is missing"),
        "only-ca": (AgentConfig(client_ca_file=certificate), "agent_config.cert_file: is missing"),
        "other-key": (
            AgentConfig(cert_file=certificate, key_file=other.key_pem.decode()),
            "agent_config.cert_file: ",
        ),
        "no-pem": (AgentConfig(cert_file="a\nb", key_file=own_key), "agent_config.cert_file: "),
        "no-file": (
            AgentConfig(cert_file="/nowhere/cert.pem", key_file=own_key),
            "agent_config.cert_file: is a path in the VM that cannot be read",
        ),
        "bad-ca": (
            AgentConfig(cert_file=certificate, key_file=own_key, client_ca_file="a\nb"),
            "agent_config.client_ca_file: ",
        ),
        "expired": (expired(authority), "agent_config.cert_file: "),
        # A VM that has no platform to prove itself with must not open a port without it.
        "attested": (AgentConfig(attested_tls=True), "agent_config.attested_tls: "),
        "attested-and-files": (
            AgentConfig(attested_tls=True, cert_file=certificate, key_file=own_key),
            "agent_config.attested_tls: ",
        ),
    }
    for name, (config, expected) in cases.items():
        control.send_manifest(manifest(key, b"x", id_=name, config=config))
        error = control.wait_for_run_response(name)
        assert expected in error
        assert "PRIVATE KEY" not in error
    assert control.state() == "ReceivingManifest"
    assert "PRIVATE KEY" not in scene.vm.console.read_text()


def expired(authority: Authority) -> AgentConfig:
    # The authority itself began today, so the leaf's whole life fits into the minutes before now.
    old = authority.issue(
        common_name="old",
        dns_names=["localhost"],
        key=EC,
        now=datetime.now(UTC) - timedelta(minutes=9),
        validity=timedelta(minutes=1),
    )
    return AgentConfig(cert_file=old.certificate_pem.decode(), key_file=old.key_pem.decode())
