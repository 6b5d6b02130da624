from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import Authority, IssuedCertificate, Side, check_certificate, generate_key_pair
from tests.unit.pki.conftest import FAST_KEY, OpenSsl

DAY = timedelta(days=1)


@pytest.fixture
def leaf(authority: Authority, now: datetime) -> IssuedCertificate:
    return authority.issue(
        common_name="agent",
        dns_names=["localhost", "*.agents.example"],
        ip_addresses=["10.0.0.7"],
        key=FAST_KEY,
        now=now,
        validity=DAY,
    )


def _messages(certificate: bytes, now: datetime, **files: bytes | None) -> list[str]:
    return [finding.message for finding in check_certificate(certificate, now=now, **files)]  # type: ignore[arg-type]  # files only


def test_a_certificate_in_order_has_no_findings(
    leaf: IssuedCertificate, authority: Authority, now: datetime
) -> None:
    findings = check_certificate(
        leaf.certificate_pem,
        now=now,
        ca_pem=authority.certificate_pem,
        key_pem=leaf.key_pem,
        names=["localhost", "LOCALHOST.", "a.agents.example", "10.0.0.7"],
    )
    assert findings == []


@pytest.mark.fault(45, 48)
def test_everything_wrong_is_told_at_once_with_a_fix(leaf: IssuedCertificate, now: datetime) -> None:
    other = Authority.create("other", key=FAST_KEY, now=now, validity=DAY)
    findings = check_certificate(
        leaf.certificate_pem,
        now=now + 2 * DAY,
        ca_pem=other.certificate_pem,
        key_pem=other.key_pem,
        names=["agent.example"],
    )
    text = "\n".join(finding.message for finding in findings)
    for part in ("ended on 2026-03-02 12:00", "does not belong", "does not cover agent.example", "no chain"):
        assert part in text
    assert all('"agent"' in finding.message and finding.fix for finding in findings)


@pytest.mark.fault(44, 45)
def test_a_certificate_is_refused_before_it_begins(leaf: IssuedCertificate, now: datetime) -> None:
    assert _messages(leaf.certificate_pem, now - timedelta(minutes=10)) == []
    assert _messages(leaf.certificate_pem, now - timedelta(minutes=11)) == [
        'the certificate "agent" is not valid before 2026-03-01 11:50 UTC'
    ]


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("a.agents.example", True),
        ("a.b.agents.example", False),
        ("agents.example", False),
        ("10.0.0.7", True),
        ("10.0.0.8", False),
        ("::1", False),
        ("host", False),
    ],
)
def test_names_are_matched_as_tls_clients_do(
    leaf: IssuedCertificate,
    name: str,
    covered: bool,  # noqa: FBT001  # a column of the table
    now: datetime,
) -> None:
    assert (check_certificate(leaf.certificate_pem, now=now, names=[name]) == []) is covered


def test_a_certificate_without_names_covers_none(authority: Authority, now: datetime) -> None:
    bare = authority.issue(common_name="localhost", key=FAST_KEY, now=now, validity=DAY)
    (finding,) = check_certificate(bare.certificate_pem, now=now, names=["localhost"])
    assert "no name at all" in finding.message


@pytest.mark.fault(48)
def test_files_that_cannot_be_read_are_findings(leaf: IssuedCertificate, now: datetime) -> None:
    der = x509.load_pem_x509_certificate(leaf.certificate_pem).public_bytes(Encoding.DER)
    (finding,) = check_certificate(der, now=now)
    assert "openssl x509 -inform DER" in finding.fix
    assert "no certificate" in _messages(leaf.certificate_pem, now, ca_pem=b"nonsense")[0]
    assert "not a private key" in _messages(leaf.certificate_pem, now, key_pem=b"nonsense")[0]
    damaged = leaf.certificate_pem.replace(b"MII", b"AII", 1)
    assert "cannot be read" in _messages(damaged, now)[0]


@pytest.mark.fault(48)
def test_a_weak_key_is_a_finding(now: datetime) -> None:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505  # weak on purpose
    certificate = _hand_made("weak", key.public_key(), "weak", key, now, authority=False)
    assert _messages(_pem(certificate), now) == ['the certificate "weak" has an RSA key of 1024 bits']


def _hand_made(
    subject: str,
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    issuer: str,
    signer: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    authority: bool,
) -> x509.Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(signer, SHA256())
    )


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _three_links(
    now: datetime, *, middle_is_authority: bool
) -> tuple[x509.Certificate, x509.Certificate, x509.Certificate]:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    root = _hand_made("root", keys[0].public_key(), "root", keys[0], now, authority=True)
    middle = _hand_made("middle", keys[1].public_key(), "root", keys[0], now, authority=middle_is_authority)
    leaf = _hand_made("leaf", keys[2].public_key(), "middle", keys[1], now, authority=False)
    return root, middle, leaf


def test_a_chain_through_an_intermediate_is_followed(now: datetime) -> None:
    root, middle, leaf = _three_links(now, middle_is_authority=True)
    assert _messages(_pem(leaf, middle), now, ca_pem=_pem(root)) == []
    assert _messages(_pem(leaf, middle, root), now, ca_pem=_pem(root)) == []
    assert _messages(_pem(leaf), now, ca_pem=_pem(root)) == [
        'no chain leads from the certificate "leaf" to the CA given'
    ]


@pytest.mark.fault(48)
def test_a_chain_in_the_wrong_order_is_told(now: datetime) -> None:
    root, middle, leaf = _three_links(now, middle_is_authority=True)
    assert "begins with a CA's certificate" in _messages(_pem(middle, leaf), now, ca_pem=_pem(root))[0]


@pytest.mark.fault(48)
def test_the_order_after_the_leaf_is_told(now: datetime) -> None:
    root, middle, leaf = _three_links(now, middle_is_authority=True)
    assert _messages(_pem(leaf, root, middle), now, ca_pem=_pem(root)) == [
        'the certificate "root" stands before "middle", which it signed'
    ]


@pytest.mark.fault(48)
def test_a_stranger_and_a_repeat_in_the_file_are_told(now: datetime) -> None:
    root, middle, leaf = _three_links(now, middle_is_authority=True)
    stranger, _, _ = _three_links(now, middle_is_authority=True)
    assert _messages(_pem(leaf, middle, middle, stranger), now, ca_pem=_pem(root)) == [
        'the certificate "middle" stands in the file twice',
        'the certificate "root" signed none of the others in the file',
    ]


@pytest.mark.fault(49)
def test_around_a_change_of_cas_one_that_is_valid_is_enough(authority: Authority, now: datetime) -> None:
    last = Authority.create("last", key=FAST_KEY, now=now - 9 * DAY, validity=DAY)
    both = last.certificate_pem + authority.certificate_pem
    assert _messages(both, now) == []
    assert _messages(last.certificate_pem, now) == ['the certificate "last" ended on 2026-02-21 12:00 UTC']
    leaf = authority.issue(common_name="agent", key=FAST_KEY, now=now, validity=DAY)
    assert _messages(leaf.certificate_pem, now, ca_pem=both) == []


def _with(now: datetime, *extensions: x509.ExtensionType) -> bytes:
    """A root and below it a leaf with other extensions, as one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    root = _hand_made("root", key.public_key(), "root", key, now, authority=True)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")]))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return _pem(builder.sign(key, SHA256()), root)


def _usage(**true: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**(dict.fromkeys(names, False) | true))


def test_a_certificate_that_tls_cannot_use_is_told(now: datetime) -> None:
    assert _messages(_with(now, _usage(key_encipherment=True)), now) == [
        'the key usage of the certificate "leaf" has no digitalSignature, so TLS cannot use it'
    ]
    assert _messages(_with(now, _usage(digital_signature=True)), now) == []


def test_a_certificate_for_the_other_side_is_told(now: datetime) -> None:
    pem = _with(now, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
    assert check_certificate(pem, now=now) == check_certificate(pem, now=now, side=Side.CLIENT) == []
    (finding,) = check_certificate(pem, now=now, side=Side.SERVER)
    assert finding.message == (
        'the certificate "leaf" is not for a server: its extended key usage has no serverAuth'
    )
    anybody = _with(now, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]))
    assert check_certificate(anybody, now=now, side=Side.SERVER) == []


def test_a_signature_over_a_broken_hash_is_told(
    authority: Authority, leaf: IssuedCertificate, tmp_path: Path, openssl: OpenSsl
) -> None:
    files = {"ca.pem": authority.certificate_pem, "ca-key.pem": authority.key_pem, "key.pem": leaf.key_pem}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    at = {name: str(tmp_path / name) for name in (*files, "req.pem", "old.pem")}
    openssl("req", "-new", "-key", at["key.pem"], "-subj", "/CN=old", "-out", at["req.pem"])
    made = openssl(
        "x509", "-req", "-sha1", "-in", at["req.pem"], "-CA", at["ca.pem"], "-CAkey", at["ca-key.pem"],
        "-set_serial", "1", "-out", at["old.pem"],
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    old = (tmp_path / "old.pem").read_bytes()
    assert _messages(old, x509.load_pem_x509_certificate(old).not_valid_before_utc) == [
        'the certificate "old" is signed over SHA1'
    ]


def test_an_issuer_that_may_not_sign_is_told(now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    root = (
        x509.CertificateBuilder()
        .subject_name(name := x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")]))
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .sign(key, SHA256())
    )
    middle_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    middle = _hand_made("middle", middle_key.public_key(), "root", key, now, authority=True)
    leaf = _hand_made("leaf", leaf_key.public_key(), "middle", middle_key, now, authority=False)
    assert _messages(_pem(leaf, middle), now, ca_pem=_pem(root)) == [
        'the key usage of the CA "root" has no keyCertSign, so it may sign no certificate',
        'the CA "root" allows 0 CAs below it, and here are 1',
    ]


def test_an_issuer_with_a_weak_key_is_told(now: datetime) -> None:
    weak, strong = rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())  # noqa: S505  # weak on purpose
    root = _hand_made("root", weak.public_key(), "root", weak, now, authority=True)
    leaf = _hand_made("leaf", strong.public_key(), "root", weak, now, authority=False)
    assert _messages(_pem(leaf), now, ca_pem=_pem(root)) == [
        'the certificate "root" has an RSA key of 1024 bits'
    ]


@pytest.mark.fault(45)
@pytest.mark.parametrize("validity", [timedelta(0), timedelta(seconds=1)])
def test_a_certificate_without_a_life_is_told_whenever_one_looks(validity: timedelta, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "short")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + validity)
        .sign(key, SHA256())
    )
    assert _messages(_pem(certificate), now) == []
    assert "ended" in _messages(_pem(certificate), now + timedelta(seconds=2))[0]
    assert "not valid before" in _messages(_pem(certificate), now - timedelta(seconds=1))[0]


def test_an_issuer_that_is_no_authority_breaks_the_chain(now: datetime) -> None:
    root, middle, leaf = _three_links(now, middle_is_authority=False)
    assert _messages(_pem(leaf, middle), now, ca_pem=_pem(root)) == ['"middle" signed "leaf" but is not a CA']


def test_a_ca_that_ended_is_told(authority: Authority, leaf: IssuedCertificate) -> None:
    late = datetime(2040, 1, 1, tzinfo=UTC)
    messages = _messages(leaf.certificate_pem, late, ca_pem=authority.certificate_pem)
    assert any('"test CA" ended' in message for message in messages)


def test_a_root_that_the_file_brings_itself_is_not_trusted(
    leaf: IssuedCertificate, authority: Authority, now: datetime
) -> None:
    other = Authority.create("other", key=FAST_KEY, now=now, validity=DAY)
    own_chain = leaf.certificate_pem + authority.certificate_pem
    assert len(_messages(own_chain, now, ca_pem=other.certificate_pem)) == 1


def test_a_certificate_that_openssl_made_passes(tmp_path: Path, openssl: OpenSsl) -> None:
    made = openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/O=Ultraviolet/CN=agent", "-addext", "subjectAltName=DNS:localhost",
        "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    certificate = (tmp_path / "cert.pem").read_bytes()
    findings = check_certificate(
        certificate,
        now=datetime.now(UTC) + timedelta(minutes=1),
        ca_pem=certificate,
        key_pem=(tmp_path / "key.pem").read_bytes(),
        names=["localhost"],
    )
    assert findings == []


@given(st.data())
def test_no_damaged_certificate_makes_the_check_fail_otherwise(
    authority: Authority, data: st.DataObject
) -> None:
    der = bytearray(x509.load_pem_x509_certificate(authority.certificate_pem).public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    now = datetime(2026, 3, 2, tzinfo=UTC)
    check_certificate(
        pem, now=now, names=["localhost"], ca_pem=authority.certificate_pem, key_pem=authority.key_pem
    )


def test_a_certificate_of_an_impossible_version_is_a_finding(authority: Authority, now: datetime) -> None:
    der = x509.load_pem_x509_certificate(authority.certificate_pem).public_bytes(Encoding.DER)
    version_3 = bytes.fromhex("a003020102")
    pem = base64.encodebytes(der.replace(version_3, version_3[:-1] + b"\x47", 1))
    (message,) = _messages(b"-----BEGIN CERTIFICATE-----\n" + pem + b"-----END CERTIFICATE-----\n", now)
    assert "cannot be read" in message


def test_a_hostile_name_is_made_printable(authority: Authority, now: datetime) -> None:
    leaf = authority.issue(common_name="a\x1b[31m\nb", key=FAST_KEY, now=now, validity=DAY)
    (message,) = _messages(leaf.certificate_pem, now + 2 * DAY)
    assert '"a?[31m?b"' in message


def test_a_public_key_is_not_taken_for_a_private_one(leaf: IssuedCertificate, now: datetime) -> None:
    public = generate_key_pair(KeyAlgorithm.ECDSA).public_pem
    assert "not a private key" in _messages(leaf.certificate_pem, now, key_pem=public)[0]
