"""Bundles whose certificates Prism issues, whose files are brought, or whose keys stay where they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from prism_iac.errors import InvalidInput, PartialResult, RemoteFailure
from prism_iac.lifecycle import HANDLERS, Live, diff
from prism_iac.model.resources import CertificateBundle, KeySpec, Subject
from prism_iac.pki import (
    Authority,
    check_certificate,
    create_request,
    generate_key,
    is_issued_by,
    issue_bundle,
    load_certificates,
    load_private_key,
    permitted_by,
)
from prism_iac.prism import Certificates
from tests.contract.lifecycle.handshake import shake_hands
from tests.contract.lifecycle.stage import Stage

EC = {"algorithm": "ecdsa"}
CANARY = "canary-passphrase"


def due(stage: Stage, live: Live[Any], now: datetime | None = None) -> str | None:
    """What a preview says that time, or the last read, asks for."""
    stage.clock = now
    context = stage.context("tls", live.state.identity)
    return diff(HANDLERS["CertificateBundle"], live.state.properties(), live.state.inputs(), context).due


class TestPrism:
    @pytest.fixture
    def vm(self, stage: Stage) -> Live[Any]:
        return stage.create("ConfidentialVM", "trainer", provider="external")

    @pytest.fixture
    def bundle(self, stage: Stage, vm: Live[Any]) -> Live[Any]:
        return stage.create(
            "CertificateBundle", "tls", source="prism", vm=vm.id, mode="mtls", ip_addresses=["127.0.0.1"]
        )

    def standing(self, stage: Stage, vm: Live[Any], serial: str | None) -> bool:
        """Whether a serial number is revoked."""
        found = {item.serial_number: item.revoked for item in stage.workspace.certificates.list(cvm_id=vm.id)}
        assert serial is not None
        return found[serial]

    def test_both_sides_get_certificates_of_prisms_ca(self, bundle: Live[Any]) -> None:
        state = bundle.state
        anchors = load_certificates(state.ca_certificate.encode())
        assert state.server_serial != state.client_serial
        assert (
            check_certificate(
                state.server_certificate.encode(),
                now=datetime.now(UTC),
                ca_pem=state.ca_certificate.encode(),
                key_pem=state.server_key.encode(),
                names=["127.0.0.1"],
            )
            == []
        )
        leaf, *_ = load_certificates(state.client_certificate.encode())
        assert str(leaf.serial_number) == state.client_serial
        assert anchors

    def test_a_refresh_changes_nothing(self, stage: Stage, bundle: Live[Any]) -> None:
        assert stage.drift(bundle) == {}
        assert due(stage, bundle) is None

    @pytest.mark.fault(51)
    def test_a_renewal_leaves_the_old_ones_good_until_nobody_uses_them(
        self, stage: Stage, vm: Live[Any], bundle: Live[Any]
    ) -> None:
        computation = stage.computation(agent=agent(bundle))
        end = datetime.fromisoformat(bundle.state.not_after)
        stage.clock = end - timedelta(days=1)
        assert str(due(stage, bundle, stage.clock)).startswith("renews: 1 day left")

        renewed = stage.update(bundle)
        stage.clock = None
        assert renewed.state.server_serial != bundle.state.server_serial
        assert set(renewed.state.old_serials) == {bundle.state.server_serial, bundle.state.client_serial}
        assert not self.standing(stage, vm, bundle.state.server_serial)

        # The computation has the old one still, so a refresh asks for nothing.
        seen = stage.read(renewed)
        assert seen is not None
        assert due(stage, seen) is None

        stage.update(computation, agent=agent(renewed))
        seen = stage.read(renewed)
        assert seen is not None
        assert str(due(stage, seen)).startswith("revokes ")
        done = stage.update(seen)
        assert done.state.old_serials is None
        assert done.state.server_serial == renewed.state.server_serial
        assert self.standing(stage, vm, bundle.state.server_serial)
        assert self.standing(stage, vm, bundle.state.client_serial)
        assert not self.standing(stage, vm, renewed.state.server_serial)
        assert due(stage, done) is None

    def test_a_renewal_that_keeps_keys_extends_the_same_serial_number(
        self, stage: Stage, bundle: Live[Any]
    ) -> None:
        stage.clock = datetime.fromisoformat(bundle.state.not_after) - timedelta(days=1)
        renewed = stage.update(bundle, keys_on_renewal="reuse")
        assert renewed.state.server_serial == bundle.state.server_serial
        assert renewed.state.server_key == bundle.state.server_key
        assert renewed.state.old_serials is None

    def test_what_was_revoked_behind_the_back_is_issued_anew(
        self, stage: Stage, vm: Live[Any], bundle: Live[Any]
    ) -> None:
        stage.workspace.certificates.revoke(bundle.state.server_serial)
        assert due(stage, bundle) is None, "a preview asks nobody"
        seen = stage.read(bundle)
        assert seen is not None
        assert str(due(stage, seen)).startswith("issues other certificates")
        again = stage.update(seen)
        assert again.state.server_serial != bundle.state.server_serial
        assert set(again.state.old_serials) == {bundle.state.server_serial, bundle.state.client_serial}
        assert not self.standing(stage, vm, again.state.server_serial)
        assert due(stage, again) is None

    @pytest.mark.fault(46)
    def test_a_life_that_prism_makes_shorter_than_the_window_is_not_due_at_once(
        self, stage: Stage, vm: Live[Any]
    ) -> None:
        bundle = stage.create("CertificateBundle", "tls", source="prism", vm=vm.id, renew_before="200d")
        begin, end = (
            datetime.fromisoformat(text) for text in (bundle.state.not_before, bundle.state.not_after)
        )
        assert due(stage, bundle) is None
        late = end - (end - begin) / 3 + timedelta(seconds=1)
        assert str(due(stage, bundle, late)).startswith("renews")

    @pytest.mark.fault(47)
    def test_a_certificate_that_has_ended_when_it_is_issued_is_not_taken(
        self, stage: Stage, vm: Live[Any]
    ) -> None:
        stage.clock = datetime.now(UTC) + timedelta(days=400)
        with pytest.raises(PartialResult, match="Prism issued a certificate that ended on") as failed:
            stage.create("CertificateBundle", "tls", source="prism", vm=vm.id, mode="tls")
        assert len(failed.value.state["old_serials"]) == 1
        assert "server_certificate" not in failed.value.state

    @pytest.mark.fault(52)
    def test_a_token_that_runs_out_between_the_two_steps_is_replaced(
        self, stage: Stage, vm: Live[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token_for, spent = Certificates.download_token, iter([True])

        def use_the_first_up(self: Certificates, serial_number: str) -> str:
            token = token_for(self, serial_number)
            if next(spent, False):
                self.download(vm.id, token)
            return token

        monkeypatch.setattr(Certificates, "download_token", use_the_first_up)
        bundle = stage.create("CertificateBundle", "tls", source="prism", vm=vm.id, mode="tls")
        assert bundle.state.server_certificate is not None

    def test_a_bundle_that_prism_forgot_is_gone(self, stage: Stage, vm: Live[Any], bundle: Live[Any]) -> None:
        stage.workspace.certificates.delete(vm.id)
        assert stage.read(bundle) is None

    def test_a_delete_revokes_what_was_issued(self, stage: Stage, vm: Live[Any], bundle: Live[Any]) -> None:
        stage.delete(bundle)
        assert self.standing(stage, vm, bundle.state.server_serial)
        assert self.standing(stage, vm, bundle.state.client_serial)
        stage.delete(bundle)

    def test_a_lost_reply_leaves_no_second_certificate(
        self, stage: Stage, vm: Live[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issue, lost = Certificates.issue, iter([True])

        def lose_the_first_reply(
            self: Certificates,
            cvm_id: str,
            *,
            ip_addresses: tuple[str, ...] = (),
            idempotency_key: str | None = None,
        ) -> str:
            serial = issue(self, cvm_id, ip_addresses=ip_addresses, idempotency_key=idempotency_key)
            if next(lost, False):
                raise RemoteFailure("the connection was reset")
            return serial

        monkeypatch.setattr(Certificates, "issue", lose_the_first_reply)
        before = {item.serial_number for item in stage.workspace.certificates.list(cvm_id=vm.id)}
        bundle = stage.create("CertificateBundle", "tls", source="prism", vm=vm.id, mode="mtls")
        after = {item.serial_number for item in stage.workspace.certificates.list(cvm_id=vm.id)}
        assert after - before == {bundle.state.server_serial, bundle.state.client_serial}

    def test_what_a_create_issued_before_it_failed_is_revoked_by_the_next_update(
        self, stage: Stage, vm: Live[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(Certificates, "fetch", _fail)
            with pytest.raises(PartialResult) as failed:
                stage.create("CertificateBundle", "tls", source="prism", vm=vm.id, mode="mtls")
        model = HANDLERS["CertificateBundle"].model
        partial = Live(failed.value.id, model.parse(failed.value.state))
        (stray,) = partial.state.old_serials
        assert str(due(stage, partial)).startswith("issues the certificates")

        bundle = stage.update(partial)
        assert self.standing(stage, vm, stray)
        assert not self.standing(stage, vm, bundle.state.server_serial)
        assert bundle.state.old_serials is None


def _fail(*_: object) -> None:
    raise RemoteFailure("nobody answers")


def agent(bundle: Live[Any]) -> dict[str, Any]:
    return {
        "tls": "mtls",
        "cert_file": bundle.state.server_certificate,
        "server_key": bundle.state.server_key,
        "server_ca_file": bundle.state.ca_certificate,
        "client_ca_file": bundle.state.ca_certificate,
    }


class TestFiles:
    @pytest.fixture
    def made(self, tmp_path: Path) -> dict[str, str]:
        """Files as somebody's own tools make them; gives their paths by field."""
        wanted = CertificateBundle.parse({"mode": "mtls", "key": EC, "validity": "90d"})
        bundle = issue_bundle(wanted, now=datetime.now(UTC))
        paths = {}
        for field in (
            "ca_certificate",
            "server_certificate",
            "server_key",
            "client_certificate",
            "client_key",
        ):
            path = tmp_path / f"{field}.pem"
            content = getattr(bundle, field)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            path.chmod(0o600)
            paths[field] = str(path)
        return paths

    def test_what_the_files_hold_is_the_bundle(self, stage: Stage, made: dict[str, str]) -> None:
        bundle = stage.create("CertificateBundle", "tls", source="files", files=made)
        shake_hands(bundle.state, bundle.state, now=datetime.now(UTC))
        assert stage.drift(bundle) == {}
        assert due(stage, bundle) is None

    def test_another_spelling_of_the_same_files_is_no_change(
        self, stage: Stage, made: dict[str, str]
    ) -> None:
        bundle = stage.create("CertificateBundle", "tls", source="files", files=made)
        inline = {field: Path(path).read_text().replace("\n", "\r\n") for field, path in made.items()}
        assert stage.check("CertificateBundle", "tls", source="files", files=inline) == bundle.state.inputs()

    def test_a_pkcs12_file_is_converted_and_its_passphrase_is_not_kept(
        self, stage: Stage, made: dict[str, str], tmp_path: Path
    ) -> None:
        key = load_private_key(Path(made["server_key"]).read_bytes())
        (leaf,) = load_certificates(Path(made["server_certificate"]).read_bytes())
        store = tmp_path / "server.p12"
        store.write_bytes(
            pkcs12.serialize_key_and_certificates(
                b"server",
                key,
                leaf,
                None,
                BestAvailableEncryption(CANARY.encode()),
            )
        )
        store.chmod(0o600)
        files = made | {"server_certificate": str(store), "server_key": str(store), "passphrase": CANARY}
        bundle = stage.create("CertificateBundle", "tls", source="files", files=files)
        shake_hands(bundle.state, bundle.state, now=datetime.now(UTC))
        assert CANARY not in json.dumps(bundle.state.properties())

    def test_a_wrong_passphrase_is_told_without_it(
        self, stage: Stage, made: dict[str, str], tmp_path: Path
    ) -> None:
        key = load_private_key(Path(made["server_key"]).read_bytes())
        sealed = tmp_path / "sealed.pem"
        sealed.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"another"))
        )
        sealed.chmod(0o600)
        files = made | {"server_key": str(sealed), "passphrase": CANARY}
        with pytest.raises(InvalidInput, match=r"files\.server_key") as refused:
            stage.check("CertificateBundle", "tls", source="files", files=files)
        assert CANARY not in str(refused.value)

    @pytest.mark.fault(48)
    @pytest.mark.parametrize(
        ("spoil", "field", "message"),
        [
            ("swap keys", "files.server_certificate", "key"),
            ("open key", "files.server_key", "chmod 600"),
            ("no file", "files.client_certificate", "cannot be read"),
            ("no key", "files.ca_certificate", "the agent has no certificate with its key"),
            ("other ca", "files.server_certificate", ""),
        ],
    )
    def test_what_a_peer_would_refuse_is_refused_before_any_call(
        self, stage: Stage, made: dict[str, str], spoil: str, field: str, message: str
    ) -> None:
        match spoil:
            case "swap keys":
                made["server_key"], made["client_key"] = made["client_key"], made["server_key"]
            case "open key":
                Path(made["server_key"]).chmod(0o644)
            case "no file":
                made["client_certificate"] = "nowhere.pem"
            case "no key":
                del made["server_key"]
            case _:
                other = Authority.create(
                    "other", key=KeySpec(algorithm="ecdsa"), now=datetime.now(UTC), validity=timedelta(days=9)
                )
                Path(made["ca_certificate"]).write_bytes(other.certificate_pem)
        with pytest.raises(InvalidInput) as refused:
            stage.check("CertificateBundle", "tls", source="files", files=made)
        assert any(
            item.path == field and message in f"{item.message} {item.fix}" for item in refused.value.findings
        )

    def test_their_end_is_told_and_asks_for_no_update(self, stage: Stage, made: dict[str, str]) -> None:
        bundle = stage.create("CertificateBundle", "tls", source="files", files=made)
        near = datetime.fromisoformat(bundle.state.not_after) - timedelta(days=12)
        stage.lines.clear()
        assert due(stage, bundle, near) is None
        assert stage.lines[-1].endswith("in 12 days: bring new ones")


class TestRequests:
    def test_the_private_key_is_in_no_state(self, stage: Stage, tmp_path: Path) -> None:
        key = generate_key(KeySpec(algorithm="ecdsa"))
        request = tmp_path / "client.csr"
        request.write_bytes(create_request(key, common_name="ada", subject=Subject()))
        bundle = stage.create("CertificateBundle", "tls", key=EC, client_request=str(request))
        assert bundle.state.client_key is None
        held = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        assert held not in json.dumps(bundle.state.properties())
        own = bundle.state.with_(client_key=held)
        shake_hands(bundle.state, own, now=datetime.now(UTC))

        # A renewal signs the same request again.
        stage.clock = datetime.fromisoformat(bundle.state.not_after) - timedelta(days=1)
        renewed = stage.update(bundle)
        assert renewed.state.client_key is None
        assert renewed.state.client_certificate != bundle.state.client_certificate
        shake_hands(renewed.state, renewed.state.with_(client_key=held), now=stage.clock)
        stage.clock = None

        # Another key makes another certificate, and the old one stays good.
        other = generate_key(KeySpec(algorithm="ecdsa"))
        request.write_bytes(create_request(other, common_name="ada", subject=Subject()))
        text = request.read_text()
        changed = stage.update(bundle, client_request=text)
        certificate = changed.state.client_certificate.encode()
        assert check_certificate(certificate, now=datetime.now(UTC), key_pem=held.encode())
        shake_hands(changed.state, own, now=datetime.now(UTC))

    def test_a_request_that_nobody_signed_is_refused(self, stage: Stage) -> None:
        with pytest.raises(InvalidInput, match="client_request"):
            stage.check("CertificateBundle", "tls", client_request="-----BEGIN CERTIFICATE REQUEST-----")


class TestMoreParties:
    def test_more_servers_and_clients_connect_to_each_other_through_a_change_of_the_ca(
        self, stage: Stage
    ) -> None:
        bundle = stage.create(
            "CertificateBundle",
            "tls",
            key=EC,
            validity="90d",
            servers={"eu": {"dns_names": ["localhost"]}, "us": {"dns_names": ["localhost"]}},
            clients=["ada", "grace"],
        )
        assert set(bundle.state.parties) == {"server-eu", "server-us", "client-ada", "client-grace"}
        assert "parties" in type(bundle.state).secret_output_names()
        shake_hands(as_server(bundle, "eu"), as_client(bundle, "ada"), now=datetime.now(UTC))

        stage.clock = datetime.fromisoformat(bundle.state.not_after) - timedelta(days=1)
        renewed = stage.update(bundle)
        assert (
            renewed.state.parties["client-ada"].private_key != bundle.state.parties["client-ada"].private_key
        )
        shake_hands(as_server(renewed, "us"), as_client(bundle, "grace"), now=stage.clock)

        # One party less is no reason to give the others another CA.
        fewer = stage.update(renewed, clients=["ada"])
        assert set(fewer.state.parties) == {"server-eu", "server-us", "client-ada"}
        shake_hands(as_server(fewer, "eu"), as_client(bundle, "grace"), now=stage.clock)

    def test_a_ca_certifies_permitted_names_alone_and_stays_so(self, stage: Stage) -> None:
        bundle = stage.create(
            "CertificateBundle", "tls", key=EC, validity="90d", permitted={"dns_names": ["localhost"]}
        )
        stage.clock = datetime.fromisoformat(bundle.state.not_after) - timedelta(days=1)
        renewed = stage.update(bundle)
        for state in (bundle.state, renewed.state):
            for authority in load_certificates(state.ca_certificate.encode()):
                limits = permitted_by(authority)
                assert limits is not None
                assert list(limits.dns_names) == ["localhost"]
        with pytest.raises(InvalidInput, match=r"elsewhere\.example"):
            stage.update(bundle, dns_names=["elsewhere.example"])

    def test_an_intermediate_signs_and_those_who_trust_the_root_connect_through_renewals(
        self, stage: Stage
    ) -> None:
        bundle = stage.create("CertificateBundle", "tls", key=EC, validity="90d", intermediate=True)
        leaf, intermediate = load_certificates(bundle.state.server_certificate.encode())
        (root,) = load_certificates(bundle.state.ca_certificate.encode())
        assert is_issued_by(leaf, intermediate)
        assert is_issued_by(intermediate, root)
        shake_hands(bundle.state, bundle.state, now=datetime.now(UTC))

        state = bundle
        held = bundle.state
        for _ in range(5):
            stage.clock = datetime.fromisoformat(state.state.not_after) - timedelta(days=10)
            state = stage.update(state)
            shake_hands(state.state, held, now=stage.clock)
            shake_hands(held, state.state, now=stage.clock)
            held = state.state


def as_server(bundle: Live[Any], name: str) -> CertificateBundle:
    """The bundle with one of its more servers in place of the agent."""
    party = bundle.state.parties[f"server-{name}"]
    changed: CertificateBundle = bundle.state.with_(
        server_certificate=party.certificate, server_key=party.private_key
    )
    return changed


def as_client(bundle: Live[Any], name: str) -> CertificateBundle:
    """The bundle with one of its more clients in place of the participants' one."""
    party = bundle.state.parties[f"client-{name}"]
    changed: CertificateBundle = bundle.state.with_(
        client_certificate=party.certificate, client_key=party.private_key
    )
    return changed
