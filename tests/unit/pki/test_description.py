from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from prism_iac.model.resources import KeyAlgorithm, KeySpec, Subject
from prism_iac.pki import Authority, Permitted, describe_certificate, load_certificates
from tests.unit.pki.conftest import FAST_KEY

DAY = timedelta(days=1)


def test_a_leaf_says_who_it_is_and_what_it_is_for(authority: Authority, now: datetime) -> None:
    leaf = authority.issue(
        common_name="agent",
        subject=Subject(organization="Ultraviolet"),
        dns_names=["localhost"],
        ip_addresses=["10.0.0.7"],
        uris=["urn:prism:cvm:7"],
        key=FAST_KEY,
        now=now,
        validity=DAY,
    )
    described = describe_certificate(load_certificates(leaf.certificate_pem)[0])
    assert (described.subject, described.issuer) == ("O=Ultraviolet,CN=agent", "CN=test CA")
    assert (described.serial, described.not_before, described.not_after) == (
        leaf.serial,
        leaf.not_before,
        leaf.not_after,
    )
    assert (described.key, described.signature, described.is_authority) == ("P-256", "SHA256", False)
    assert described.usages == ("digitalSignature", "nonRepudiation")
    assert (described.dns_names, described.ip_addresses) == (("localhost",), ("10.0.0.7",))
    assert (described.uris, described.permitted) == (("urn:prism:cvm:7",), ())
    assert len(bytes.fromhex(described.sha256)) == 32


def test_a_ca_says_what_it_may_sign(now: datetime) -> None:
    permitted = Permitted(["agents.example"], ["10.0.0.0/8"])
    made = Authority.create("CA", key=FAST_KEY, now=now, validity=DAY, path_length=1, permitted=permitted)
    described = describe_certificate(load_certificates(made.certificate_pem)[0])
    assert (described.is_authority, described.path_length) == (True, 1)
    assert described.permitted == ("agents.example", "10.0.0.0/8")
    assert "keyCertSign" in described.usages


@pytest.mark.parametrize(
    ("spec", "key", "signature"),
    [
        (KeySpec(algorithm=KeyAlgorithm.RSA, size=2048), "RSA 2048", "SHA256"),
        (KeySpec(algorithm=KeyAlgorithm.ECDSA, size=384), "P-384", "SHA384"),
        (KeySpec(algorithm=KeyAlgorithm.ED25519), "Ed25519", None),
    ],
)
def test_keys_and_signatures_have_short_names(
    spec: KeySpec, key: str, signature: str | None, now: datetime
) -> None:
    made = Authority.create("CA", key=spec, now=now, validity=DAY)
    described = describe_certificate(load_certificates(made.certificate_pem)[0])
    assert (described.key, described.signature) == (key, signature)
