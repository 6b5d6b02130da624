from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm, KeySpec, Subject
from prism_iac.pki import Authority, generate_key_pair, load_private_key
from tests.unit.pki.conftest import FAST_KEY, OpenSsl

DAY = timedelta(days=1)
KEYS = [
    KeySpec(algorithm=KeyAlgorithm.RSA, size=2048),
    KeySpec(algorithm=KeyAlgorithm.ECDSA),
    KeySpec(algorithm=KeyAlgorithm.ECDSA, size=384),
    KeySpec(algorithm=KeyAlgorithm.ED25519),
]


def _extension(certificate_pem: bytes, kind: type[x509.ExtensionType]) -> x509.Extension[x509.ExtensionType]:
    return x509.load_pem_x509_certificate(certificate_pem).extensions.get_extension_for_class(kind)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.algorithm}-{key.size}")
def test_openssl_verifies_root_and_leaf_strictly(
    key: KeySpec, now: datetime, tmp_path: Path, openssl: OpenSsl
) -> None:
    authority = Authority.create(
        "root", key=key, now=now, validity=DAY, subject=Subject(organization="Ultraviolet")
    )
    leaf = authority.issue(common_name="leaf", dns_names=["agent.example"], key=key, now=now, validity=DAY)
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "leaf.pem").write_bytes(leaf.certificate_pem)
    checked = openssl(
        "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "agent.example",
        "-attime", str(int(now.timestamp())), "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "leaf.pem"),
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_a_leaf_has_the_documented_profile(authority: Authority, now: datetime) -> None:
    leaf = authority.issue(
        common_name="agent",
        subject=Subject(organization="Ultraviolet", organizational_unit="Agent", email="ops@example.com"),
        dns_names=["localhost", "agent.example"],
        ip_addresses=["127.0.0.1", "::1"],
        uris=["urn:prism:cvm:7"],
        key=KEYS[0],
        now=now,
        validity=DAY,
    )
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    assert (
        certificate.subject.rfc4514_string()
        == "1.2.840.113549.1.9.1=ops@example.com,OU=Agent,O=Ultraviolet,CN=agent"
    )
    assert _extension(leaf.certificate_pem, x509.BasicConstraints).value == x509.BasicConstraints(
        ca=False, path_length=None
    )
    usage = _extension(leaf.certificate_pem, x509.KeyUsage).value
    assert isinstance(usage, x509.KeyUsage)
    assert (usage.digital_signature, usage.content_commitment, usage.key_encipherment) == (True, True, True)
    names = _extension(leaf.certificate_pem, x509.SubjectAlternativeName).value
    assert isinstance(names, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "agent.example"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:prism:cvm:7"]


@pytest.mark.parametrize("key", KEYS[1:], ids=lambda key: str(key.algorithm))
def test_only_rsa_leaves_may_encipher_keys(authority: Authority, key: KeySpec, now: datetime) -> None:
    leaf = authority.issue(common_name="leaf", key=key, now=now, validity=DAY)
    usage = _extension(leaf.certificate_pem, x509.KeyUsage).value
    assert isinstance(usage, x509.KeyUsage)
    assert not usage.key_encipherment


def test_a_certificate_begins_before_it_is_made_and_ends_when_asked(
    authority: Authority, now: datetime
) -> None:
    leaf = authority.issue(
        common_name="leaf", key=FAST_KEY, now=now.replace(microsecond=999_999), validity=DAY
    )
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    assert leaf.not_before == certificate.not_valid_before_utc == now - timedelta(minutes=10)
    assert leaf.not_after == certificate.not_valid_after_utc == now + DAY


def test_a_leaf_never_outlives_its_root(authority: Authority, now: datetime) -> None:
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=timedelta(days=99_999))
    assert leaf.not_after == authority.not_after
    with pytest.raises(InvalidInput, match="authority's own certificate ended"):
        authority.issue(common_name="leaf", key=FAST_KEY, now=authority.not_after, validity=DAY)


def test_a_validity_of_a_million_days_ends_when_x509_ends(now: datetime) -> None:
    authority = Authority.create("root", key=FAST_KEY, now=now, validity=timedelta(days=999_999_999))
    assert authority.not_after == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.fault(45)
@pytest.mark.parametrize("validity", [timedelta(0), -DAY])
def test_a_validity_that_is_not_positive_is_refused(
    authority: Authority, validity: timedelta, now: datetime
) -> None:
    with pytest.raises(InvalidInput, match="must be positive"):
        authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=validity)


def test_serial_numbers_are_unique_and_have_39_digits_at_most(authority: Authority, now: datetime) -> None:
    serials = {
        authority.issue(common_name="x", key=FAST_KEY, now=now, validity=DAY).serial for _ in range(20)
    }
    assert len(serials) == 20
    assert all(0 < serial < 10**39 for serial in serials)


def test_a_key_that_is_given_is_certified_and_not_replaced(authority: Authority, now: datetime) -> None:
    pair = generate_key_pair(KeyAlgorithm.ECDSA)
    leaf = authority.issue(common_name="x", key=load_private_key(pair.private_pem), now=now, validity=DAY)
    assert leaf.key_pem == pair.private_pem


def test_keys_are_not_printed(authority: Authority, now: datetime) -> None:
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=DAY)
    assert "PRIVATE" not in repr(leaf)
    assert repr(authority) == 'Authority("test CA")'


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"dns_names": ["münchen.example"]}, "dns_names"),
        ({"ip_addresses": ["300.1.1.1"]}, "ip_addresses"),
        ({"uris": ["urn:ä"]}, "uris"),
        ({"subject": Subject(organization="x" * 65)}, "does not fit"),
    ],
)
def test_a_name_that_does_not_fit_is_told(
    authority: Authority, names: dict[str, list[str]], message: str, now: datetime
) -> None:
    with pytest.raises(InvalidInput, match=message):
        authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=DAY, **names)  # type: ignore[arg-type]  # one row each


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_no_text_makes_issuing_fail_otherwise(
    authority: Authority, common_name: str, email: str, dns_name: str, uri: str
) -> None:
    try:
        subject = Subject(email=email)
    except ValueError:
        subject = Subject()
    try:
        leaf = authority.issue(
            common_name=common_name,
            subject=subject,
            dns_names=[dns_name],
            uris=[uri],
            key=FAST_KEY,
            now=datetime(2026, 3, 1, tzinfo=UTC),
            validity=DAY,
        )
    except InvalidInput:
        return
    x509.load_pem_x509_certificate(leaf.certificate_pem)


def test_renewing_keeps_key_names_and_serial(
    authority: Authority, now: datetime, tmp_path: Path, openssl: OpenSsl
) -> None:
    leaf = authority.issue(common_name="leaf", dns_names=["localhost"], key=FAST_KEY, now=now, validity=DAY)
    later = now + timedelta(hours=20)
    renewed = authority.sign_again(leaf.certificate_pem, now=later, validity=30 * DAY)
    old, new = (
        x509.load_pem_x509_certificate(pem) for pem in (leaf.certificate_pem, renewed.certificate_pem)
    )
    assert (new.serial_number, new.subject, new.public_key()) == (
        old.serial_number,
        old.subject,
        old.public_key(),
    )
    assert list(new.extensions) == list(old.extensions)
    assert renewed.serial == leaf.serial
    assert (renewed.not_before, renewed.not_after) == (later - timedelta(minutes=10), later + 30 * DAY)
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "leaf.pem").write_bytes(renewed.certificate_pem)
    at = str(int((later + 29 * DAY).timestamp()))
    checked = openssl(
        "verify", "-attime", at, "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "leaf.pem")
    )
    assert checked.returncode == 0, checked.stderr


def test_another_authoritys_certificate_is_not_renewed(authority: Authority, now: datetime) -> None:
    other = Authority.create("test CA", key=FAST_KEY, now=now, validity=DAY)
    leaf = other.issue(common_name="leaf", key=FAST_KEY, now=now, validity=DAY)
    with pytest.raises(InvalidInput, match='"leaf" was not issued by "test CA"'):
        authority.sign_again(leaf.certificate_pem, now=now, validity=DAY)


def test_an_authority_is_the_same_after_a_restart(authority: Authority, now: datetime) -> None:
    again = Authority.load(authority.certificate_pem, authority.key_pem)
    assert (again.certificate_pem, again.key_pem) == (authority.certificate_pem, authority.key_pem)
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=DAY)
    assert again.sign_again(leaf.certificate_pem, now=now, validity=DAY).serial == leaf.serial


def test_files_that_make_no_authority_are_refused(authority: Authority, now: datetime) -> None:
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=DAY)
    with pytest.raises(InvalidInput, match='"leaf" is not an authority'):
        Authority.load(leaf.certificate_pem, leaf.key_pem)
    with pytest.raises(InvalidInput, match="does not belong"):
        Authority.load(authority.certificate_pem, leaf.key_pem)
    with pytest.raises(InvalidInput, match="no certificate in PEM form"):
        Authority.load(authority.key_pem, authority.key_pem)
