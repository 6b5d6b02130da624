from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from prism_iac.errors import InvalidInput
from prism_iac.model import TlsMode
from prism_iac.model.resources import CertificateBundle
from prism_iac.pki import check_certificate, issue_bundle

FILES = {
    TlsMode.NONE: set(),
    TlsMode.TLS: {"ca_certificate", "ca_key", "server_certificate", "server_key"},
    TlsMode.MTLS: {
        "ca_certificate", "ca_key", "server_certificate", "server_key", "client_certificate", "client_key",
    },
    TlsMode.ATLS: set(),
    TlsMode.MATLS: {
        "ca_certificate", "ca_key", "server_certificate", "server_key", "client_certificate", "client_key",
    },
}  # fmt: skip


def _wanted(**inputs: object) -> CertificateBundle:
    fast = {"algorithm": "ecdsa"}
    return CertificateBundle.parse(
        {"common_name": "iris", "key": fast, "validity": "36h", "renew_before": "1h"} | inputs
    )


@pytest.mark.parametrize("mode", TlsMode)
def test_each_mode_has_its_files_and_no_others(mode: TlsMode, now: datetime) -> None:
    bundle = issue_bundle(_wanted(mode=mode), now=now)
    filled = {field.name for field in fields(bundle) if getattr(bundle, field.name) is not None}
    assert filled - {"not_before", "not_after"} == FILES[mode]
    assert ({"not_before", "not_after"} <= filled) is bool(FILES[mode])


def test_both_leaves_chain_to_the_ca_and_fit_their_keys(now: datetime) -> None:
    bundle = issue_bundle(_wanted(ip_addresses=["127.0.0.1"]), now=now)
    assert bundle.server_certificate is not None
    assert bundle.client_certificate is not None
    ca = bundle.ca_certificate
    assert (
        check_certificate(
            bundle.server_certificate,
            now=now,
            ca_pem=ca,
            key_pem=bundle.server_key,
            names=["localhost", "127.0.0.1"],
        )
        == []
    )
    assert check_certificate(bundle.client_certificate, now=now, ca_pem=ca, key_pem=bundle.client_key) == []


def test_a_client_cannot_stand_for_the_agent(now: datetime) -> None:
    bundle = issue_bundle(_wanted(), now=now)
    assert bundle.client_certificate is not None
    assert check_certificate(bundle.client_certificate, now=now, names=["localhost"]) != []


def test_subjects_share_their_parts_and_differ_in_common_name(now: datetime) -> None:
    bundle = issue_bundle(
        _wanted(subject={"organization": "Ultraviolet", "organizational_unit": "Agents"}), now=now
    )
    names = [
        x509.load_pem_x509_certificate(pem).subject.rfc4514_string()
        for pem in (bundle.ca_certificate, bundle.server_certificate, bundle.client_certificate)
        if pem
    ]
    assert names == [
        "OU=Agents,O=Ultraviolet,CN=iris CA",
        "OU=Agents,O=Ultraviolet,CN=iris server",
        "OU=Agents,O=Ultraviolet,CN=iris client",
    ]


def test_a_server_without_an_address_is_refused(now: datetime) -> None:
    with pytest.raises(InvalidInput, match="names no address"):
        issue_bundle(_wanted(dns_names=[]), now=now)


def test_a_key_that_grpc_cannot_use_is_refused(now: datetime) -> None:
    with pytest.raises(InvalidInput, match="Ed25519"):
        issue_bundle(_wanted(key={"algorithm": "ed25519"}), now=now)


def test_keys_are_not_printed(now: datetime) -> None:
    assert "PRIVATE" not in repr(issue_bundle(_wanted(), now=now))


def test_certificates_last_as_long_as_asked(now: datetime) -> None:
    bundle = issue_bundle(_wanted(), now=now)
    assert (bundle.not_before, bundle.not_after) == (now - timedelta(minutes=10), now + timedelta(hours=36))
