"""Attested TLS under attack: nothing is said to whoever has not proven itself, and every failed claim is told."""

from __future__ import annotations

import hashlib
import io
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prism_iac.agent import (
    AgentClient,
    AgentRefused,
    AgentUnproven,
    AgentUnreachable,
    ClientTls,
    EvidencePlace,
    RequiredEvidence,
)
from prism_iac.agent.atls import Attest, Prover, StreamEnded, TlsStream, fresh_pair, name_of
from prism_iac.agent.atls._channel import Binding
from prism_iac.agent.atls._request import AuthenticatorRequest
from prism_iac.agent.atls._wire import FrameType
from prism_iac.attestation import EvidenceRefused, Launch, Nonce, SimulatedGuest
from prism_iac.errors import Conflict, InvalidInput
from prism_iac.model import TlsMode
from prism_iac.pki import Authority, IssuedCertificate
from prism_iac.wire.cvms_pb2 import AgentConfig
from tests.contract.agent.conftest import EC
from tests.contract.agent.impostor import Behaviour, Impostor, dial, impostor
from tests.contract.agent.scene import Scene
from tests.contract.agent.test_tls import config_of, tls_of

ALGORITHM = b"#!/bin/sh\necho x > results/x\n"
ATTESTED = AgentConfig(attested_tls=True)
Issue = Callable[[str], IssuedCertificate]
OF_ANOTHER_CONNECTION = {
    "authenticator's signature",
    "authenticator's Finished",
    "binder's binding",
    "token's nonce",
    "report data",
}


def tokens_of(guest: SimulatedGuest) -> Attest:
    return lambda nonce: guest.token(nonce, now=datetime.now(UTC))


def clock() -> datetime:
    return datetime.now(UTC)


def prover_of(attest: Attest) -> Prover:
    return Prover.of(*fresh_pair(datetime.now(UTC)), attest, now=clock)


def refused_claims(address: str, required: RequiredEvidence) -> set[str]:
    """The claims for which a participant refuses whoever answers there."""
    with (
        AgentClient.connect(address, tls=ClientTls(TlsMode.ATLS, required_evidence=required)) as client,
        pytest.raises(EvidenceRefused) as caught,
    ):
        client.wait_until_serving(600)
    return {claim.claim for claim in caught.value.failed}


def claims_refused_of(behave: Behaviour, required: RequiredEvidence) -> set[str]:
    """The same of a server that behaves like this; it hears nothing, and is not asked again."""
    with impostor(behave) as server:
        claims = refused_claims(server.address, required)
    assert_heard_nothing(server)
    return claims


def assert_heard_nothing(server: Impostor) -> None:
    assert (server.connections, bytes(server.heard)) == (1, b"")


def test_an_impostor_that_proves_the_vm_is_spoken_to(
    guest: SimulatedGuest, required: RequiredEvidence
) -> None:
    """What the other tests hear nothing of would be heard."""
    with impostor(prover_of(tokens_of(guest)).prove) as server:
        tls = ClientTls(TlsMode.ATLS, required_evidence=required)
        with AgentClient.connect(server.address, tls=tls) as client, pytest.raises(AgentUnreachable):
            client.wait_until_serving(0.2)
    assert server.heard.startswith(b"PRI * HTTP/2.0\r\n")


def test_a_proof_that_is_passed_on_from_the_agent_is_refused(
    proven: Scene, required: RequiredEvidence
) -> None:
    def pass_on(stream: TlsStream) -> None:
        request = stream.receive_frame(FrameType.REQUEST)
        agent = dial(proven.vm.address)
        agent.send_frame(FrameType.REQUEST, request)
        stream.send_frame(FrameType.AUTHENTICATOR, agent.receive_frame(FrameType.AUTHENTICATOR))
        agent.close()

    proven.begin(ALGORITHM, config=ATTESTED)
    assert claims_refused_of(pass_on, required) == OF_ANOTHER_CONNECTION


@pytest.mark.fault(58)
def test_a_proof_that_was_recorded_is_refused(proven: Scene, required: RequiredEvidence) -> None:
    proven.begin(ALGORITHM, config=ATTESTED)
    agent = dial(proven.vm.address)
    agent.send_frame(FrameType.REQUEST, AuthenticatorRequest(bytes(32)).to_bytes())
    recorded = agent.receive_frame(FrameType.AUTHENTICATOR)
    agent.close()

    def replay(stream: TlsStream) -> None:
        stream.receive_frame(FrameType.REQUEST)
        stream.send_frame(FrameType.AUTHENTICATOR, recorded)

    assert claims_refused_of(replay, required) == {*OF_ANOTHER_CONNECTION, "authenticator's context"}


@pytest.mark.fault(58)
def test_stale_evidence_in_a_fresh_proof_is_refused(
    guest: SimulatedGuest, required: RequiredEvidence
) -> None:
    stale = guest.token(Nonce.of(b"of an earlier connection"), now=datetime.now(UTC))
    assert claims_refused_of(prover_of(lambda _: stale).prove, required) == {"token's nonce", "report data"}


def test_evidence_of_another_vm_is_refused(guest: SimulatedGuest, required: RequiredEvidence) -> None:
    launch = Launch(measurement=b"\x43" * 48, report_id=b"\x07" * 32, host_data=b"\x01" * 32)
    other = replace(guest, launch=launch)
    claims = claims_refused_of(prover_of(tokens_of(other)).prove, required)
    assert claims == {"launch measurement", "host data"}


def test_a_simulated_vm_is_refused_where_hardware_is_asked_for(
    guest: SimulatedGuest, required: RequiredEvidence
) -> None:
    pinned = replace(required, roots=None)
    assert claims_refused_of(prover_of(tokens_of(guest)).prove, pinned)


@pytest.mark.parametrize("evidence", [b"", b"\xa0", b"not a token", b"\xd2\x84"])
def test_what_is_no_evidence_is_refused(evidence: bytes, required: RequiredEvidence) -> None:
    assert claims_refused_of(prover_of(lambda _: evidence).prove, required) == {"evidence"}


def test_evidence_outside_a_token_is_refused(guest: SimulatedGuest, required: RequiredEvidence) -> None:
    def bare(nonce: Nonce) -> bytes:
        return guest.attest(nonce.tee).to_bytes()

    assert claims_refused_of(prover_of(bare).prove, required) == {"evidence"}


def test_a_proof_without_evidence_is_refused(required: RequiredEvidence) -> None:
    def prove_the_key_alone(stream: TlsStream) -> None:
        request = stream.receive_frame(FrameType.REQUEST)
        context = AuthenticatorRequest.parse(request).context
        identity = prover_of(lambda _: b"").identity
        answer = identity.answer(request, context, b"{}", stream.channel())
        stream.send_frame(FrameType.AUTHENTICATOR, answer)

    assert claims_refused_of(prove_the_key_alone, required) == {"evidence"}


def test_an_agent_that_does_not_attest_is_refused(
    scene: Scene, authority: Authority, issue: Issue, required: RequiredEvidence
) -> None:
    scene.begin(ALGORITHM, config=config_of(TlsMode.TLS, authority, issue("agent")))
    assert refused_claims(scene.vm.address, required) == {"authenticator"}


def test_a_policy_that_expects_too_little_is_told_before_anything_is_sent(
    guest: SimulatedGuest, required: RequiredEvidence
) -> None:
    policy = required.policy.from_values({"policy": {"policy": "196608"}})
    with impostor(prover_of(tokens_of(guest)).prove) as server:
        tls = ClientTls(TlsMode.ATLS, required_evidence=replace(required, policy=policy))
        with AgentClient.connect(server.address, tls=tls) as client, pytest.raises(InvalidInput) as caught:
            client.wait_until_serving(600)
    assert "measurement" in {finding.path.rpartition(".")[2] for finding in caught.value.findings}
    assert_heard_nothing(server)


def test_an_attested_mode_needs_a_policy() -> None:
    with pytest.raises(InvalidInput) as caught:
        ClientTls(TlsMode.MATLS)
    assert {finding.path for finding in caught.value.findings} == {
        "server_ca",
        "client_certificate",
        "client_key",
        "required_evidence",
    }


def test_the_agent_signs_no_hash_of_somebody_elses_connection(
    proven: Scene, required: RequiredEvidence
) -> None:
    """Whoever could have evidence made for a nonce of 64 bytes would have it made for a binding."""
    proven.begin(ALGORITHM, config=ATTESTED)
    binding = hashlib.sha512(b"the attacker's key and connection").digest()
    with proven.connect(ClientTls(TlsMode.ATLS, required_evidence=required)) as client:
        with pytest.raises(AgentRefused, match="at most 32 bytes"):
            client.fetch_attestation(tee_nonce=binding)
        assert client.fetch_attestation(tee_nonce=binding[:32])


def test_only_participants_of_the_client_ca_are_let_in(
    proven: Scene,
    authority: Authority,
    issue: Issue,
    stranger: Authority,
    required: RequiredEvidence,
) -> None:
    foreign = stranger.issue(
        common_name="eve", key=EC, now=datetime.now(UTC), validity=timedelta(days=1), dns_names=["localhost"]
    )
    proven.begin(ALGORITHM, config=config_of(TlsMode.MATLS, authority, issue("agent")))
    for mode in (TlsMode.ATLS, TlsMode.MATLS):
        tls = tls_of(mode, authority, foreign, required)
        with AgentClient.connect(proven.vm.address, tls=tls) as client, pytest.raises(AgentUnreachable):
            client.wait_until_serving(0.3)


def test_an_attested_agent_of_another_ca_or_for_another_address_is_refused(
    proven: Scene,
    authority: Authority,
    issue: Issue,
    stranger: Authority,
    required: RequiredEvidence,
) -> None:
    own = authority.issue(
        common_name="agent",
        key=EC,
        now=datetime.now(UTC),
        validity=timedelta(days=1),
        dns_names=["localhost"],
    )
    proven.begin(ALGORITHM, config=config_of(TlsMode.MATLS, authority, own))
    for ca, words in ((stranger, "not from the given CA"), (authority, "ip_addresses")):
        tls = tls_of(TlsMode.MATLS, ca, issue("ada"), required)
        with (
            AgentClient.connect(proven.vm.address, tls=tls) as client,
            pytest.raises(AgentUnproven, match=words),
        ):
            client.wait_until_serving(600)


@pytest.mark.parametrize("request_", [b"", b"\x11\0\0\0", AuthenticatorRequest(b"c", (0x0804,)).to_bytes()])
def test_a_request_that_cannot_be_answered_ends_its_connection_alone(
    proven: Scene, required: RequiredEvidence, request_: bytes
) -> None:
    proven.begin(ALGORITHM, config=ATTESTED)
    stream = dial(proven.vm.address)
    stream.send_frame(FrameType.REQUEST, request_)
    with pytest.raises(StreamEnded):
        stream.receive_frame(FrameType.AUTHENTICATOR)
    stream.close()
    with proven.connect(ClientTls(TlsMode.ATLS, required_evidence=required)):
        pass


def test_nothing_but_tls_1_3_is_spoken(proven: Scene) -> None:
    proven.begin(ALGORITHM, config=ATTESTED)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", proven.vm.port)) as connected:
        tls = context.wrap_socket(connected)
        assert (tls.version(), tls.selected_alpn_protocol()) == ("TLSv1.3", "h2")
        tls.close()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", proven.vm.port)) as connected, pytest.raises(ssl.SSLError):
        context.wrap_socket(connected)


def test_what_stands_between_tls_and_grpc_is_the_agents_alone_and_goes_with_the_computation(
    proven: Scene, required: RequiredEvidence
) -> None:
    proven.begin(ALGORITHM, config=ATTESTED)
    with proven.connect(ClientTls(TlsMode.ATLS, required_evidence=required)):
        (inner,) = proven.vm.folder.rglob("participants.sock")
    assert inner.parent.stat().st_mode & 0o777 == 0o700
    proven.control.stop()
    assert proven.control.wait_for_stop_response() == ""
    assert not inner.exists()


def test_connections_that_say_nothing_hold_nobody_up(proven: Scene, required: RequiredEvidence) -> None:
    proven.begin(ALGORITHM, config=ATTESTED)
    with ExitStack() as silent:
        for _ in range(8):
            silent.enter_context(socket.create_connection(("127.0.0.1", proven.vm.port)))
        with proven.connect(ClientTls(TlsMode.ATLS, required_evidence=required)):
            pass
        proven.control.stop()
        assert proven.control.wait_for_stop_response() == ""


def test_each_connection_has_a_binding_of_its_own(proven: Scene) -> None:
    proven.begin(ALGORITHM, config=ATTESTED)
    bindings = set()
    for _ in range(2):
        stream = dial(proven.vm.address)
        bindings.add(Binding.of(stream.channel(), b"key", b"context"))
        stream.close()
    assert len(bindings) == 2


def test_large_data_goes_through_whole_both_ways(proven: Scene, required: RequiredEvidence) -> None:
    data = random.Random(0).randbytes(24 << 20)  # noqa: S311  # so that no piece is like another
    proven.begin(b"#!/bin/sh\ncp datasets/d results/d\n", {"d": data}, config=ATTESTED)
    with proven.connect(ClientTls(TlsMode.ATLS, required_evidence=required)) as client:
        proven.upload_algorithm(client)
        proven.upload_dataset(client, "d")
        proven.control.wait_for_event("ConsumingResults", "Ready")
        with zipfile.ZipFile(io.BytesIO(proven.fetch(client))) as archive:
            assert archive.read("d") == data


def test_a_tunnel_that_has_no_place_is_told(
    required: RequiredEvidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with pytest.raises(Conflict, match="no socket can be made"):
        AgentClient.connect("127.0.0.1:1", tls=ClientTls(TlsMode.ATLS, required_evidence=required))
    assert [*deep.iterdir()] == []


@pytest.mark.parametrize("address", ["127.0.0.1", ":7002", "vm:0", "vm:65536", "vm:x"])
def test_an_attested_address_has_a_port(required: RequiredEvidence, address: str) -> None:
    with pytest.raises(InvalidInput, match="is not host:port"):
        AgentClient.connect(address, tls=ClientTls(TlsMode.ATLS, required_evidence=required))


def test_nobody_else_gets_into_the_tunnel(proven: Scene, required: RequiredEvidence) -> None:
    proven.begin(ALGORITHM, config=ATTESTED)
    with proven.connect(ClientTls(TlsMode.ATLS, required_evidence=required)) as client:
        path = client._line.tunnel.target.removeprefix("unix:")  # type: ignore[union-attr]  # an attested line has one
        assert Path(path).parent.stat().st_mode & 0o777 == 0o700
        dialling = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(1))"
        )
        said = subprocess.run([sys.executable, "-c", dialling, path], check=True, capture_output=True)
    assert said.stdout == b"b''\n"
    assert not Path(path).exists()


def test_calls_go_on_after_the_agent_has_ended_a_computation(
    proven: Scene, required: RequiredEvidence
) -> None:
    tls = ClientTls(TlsMode.ATLS, required_evidence=required)
    for number in ("c-1", "c-2"):
        proven.begin(ALGORITHM, id_=number, config=ATTESTED)
        with proven.connect(tls) as client:
            proven.upload_algorithm(client)
            proven.control.stop(number)
            assert proven.control.wait_for_stop_response(number) == ""


class TestOlderGeneration:
    """Evidence in the certificate of the handshake, as agents of Cocos 0.8 give it."""

    @pytest.fixture
    def older(self, required: RequiredEvidence) -> RequiredEvidence:
        return replace(required, place=EvidencePlace.CERTIFICATE)

    def test_a_run_goes_through(self, proven: Scene, older: RequiredEvidence) -> None:
        proven.begin(ALGORITHM, config=ATTESTED)
        with proven.connect(ClientTls(TlsMode.ATLS, required_evidence=older)) as client:
            proven.upload_algorithm(client)
            proven.control.wait_for_event("ConsumingResults", "Ready")
            assert proven.fetch(client)

    def test_the_certificate_is_for_the_nonce_alone(
        self, guest: SimulatedGuest, older: RequiredEvidence
    ) -> None:
        prover = prover_of(tokens_of(guest))
        recorded = prover.certify(name_of(bytes(64)))
        assert recorded is not None
        with impostor(no_proof, pair=recorded) as server:
            claims = refused_claims(server.address, older)
        assert_heard_nothing(server)
        assert claims == {"report data"}

    def test_a_certificate_without_evidence_is_refused(self, older: RequiredEvidence) -> None:
        assert claims_refused_of(no_proof, older) == {"evidence"}

    def test_evidence_of_another_vm_is_refused(self, proven: Scene, older: RequiredEvidence) -> None:
        proven.begin(ALGORITHM, config=ATTESTED)
        policy = older.policy.with_measurement(b"\x43" * 48)
        assert refused_claims(proven.vm.address, replace(older, policy=policy)) == {"launch measurement"}

    def test_a_ca_that_did_not_issue_the_certificate_refuses_it(
        self, proven: Scene, authority: Authority, older: RequiredEvidence
    ) -> None:
        proven.begin(ALGORITHM, config=ATTESTED)
        tls = ClientTls(TlsMode.ATLS, authority.certificate_pem, required_evidence=older)
        with (
            AgentClient.connect(proven.vm.address, tls=tls) as client,
            pytest.raises(AgentUnproven, match="not from the given CA"),
        ):
            client.wait_until_serving(600)

    @pytest.mark.parametrize(
        "name", [b"localhost", b"00.nonce", b"zz" * 64 + b".nonce", b"AA" * 64 + b".nonce"]
    )
    def test_another_name_is_no_nonce(self, guest: SimulatedGuest, name: bytes) -> None:
        assert prover_of(tokens_of(guest)).certify(name) is None


def no_proof(stream: TlsStream) -> None:
    """Nothing after the handshake."""
    del stream
