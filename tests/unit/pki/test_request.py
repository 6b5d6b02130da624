from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm, KeySpec, Subject
from prism_iac.pki import (
    Authority,
    PrivateKey,
    check_certificate,
    create_request,
    generate_key,
    load_certificates,
    parse_request,
    private_pem,
)
from tests.unit.pki.conftest import FAST_KEY, OpenSsl

DAY = timedelta(days=1)
KEYS = [
    KeySpec(algorithm=KeyAlgorithm.RSA, size=2048),
    KeySpec(algorithm=KeyAlgorithm.ECDSA, size=384),
    KeySpec(algorithm=KeyAlgorithm.ED25519),
]


def _request(key: PrivateKey) -> bytes:
    return create_request(
        key,
        common_name="agent",
        subject=Subject(organization="Ultraviolet"),
        dns_names=["localhost"],
        ip_addresses=["10.0.0.7"],
    )


@pytest.mark.parametrize("spec", KEYS, ids=lambda spec: str(spec.algorithm))
def test_a_key_gets_a_certificate_without_leaving_its_machine(
    spec: KeySpec, authority: Authority, now: datetime, tmp_path: Path, openssl: OpenSsl
) -> None:
    key = generate_key(spec)
    (tmp_path / "req.pem").write_bytes(_request(key))
    assert openssl("req", "-in", str(tmp_path / "req.pem"), "-verify", "-noout").returncode == 0
    signed = authority.sign_request(parse_request(_request(key)), now=now, validity=DAY)
    findings = check_certificate(
        signed.certificate_pem,
        now=now,
        ca_pem=authority.certificate_pem,
        key_pem=private_pem(key),
        names=["localhost", "10.0.0.7"],
    )
    assert findings == []
    certificate = load_certificates(signed.certificate_pem)[0]
    assert certificate.subject.rfc4514_string() == "O=Ultraviolet,CN=agent"


def test_a_signed_request_gives_what_the_authority_issues_itself(authority: Authority, now: datetime) -> None:
    key = generate_key(FAST_KEY)
    itself = authority.issue(
        common_name="agent",
        subject=Subject(organization="Ultraviolet"),
        dns_names=["localhost"],
        ip_addresses=["10.0.0.7"],
        key=key,
        now=now,
        validity=DAY,
    )
    signed = authority.sign_request(parse_request(_request(key)), now=now, validity=DAY)
    one, other = (load_certificates(made.certificate_pem)[0] for made in (itself, signed))
    assert (one.subject, one.issuer, list(one.extensions)) == (
        other.subject,
        other.issuer,
        list(other.extensions),
    )
    assert (itself.not_before, itself.not_after) == (signed.not_before, signed.not_after)


def test_a_request_of_openssl_is_read_from_pem_and_der(tmp_path: Path, openssl: OpenSsl) -> None:
    path = tmp_path / "req.pem"
    openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-out", str(path),
        "-keyout", str(tmp_path / "key.pem"), "-subj", "/C=RS/CN=agent", "-addext", "subjectAltName=DNS:a.example",
    )  # fmt: skip
    openssl("req", "-in", str(path), "-outform", "DER", "-out", str(tmp_path / "req.der"))
    for file in (path, tmp_path / "req.der"):
        request = parse_request(file.read_bytes())
        assert request.subject.rfc4514_string() == "CN=agent,C=RS"
        assert request.names.dns_names == ("a.example",)


def _hand_made(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *wanted: x509.ExtensionType) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent")])
    )
    for extension in wanted:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_what_a_leaf_does_not_get_is_refused_or_left_out(authority: Authority, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidInput, match="asks to be a CA"):
        parse_request(_hand_made(key, x509.BasicConstraints(ca=True, path_length=None)))
    with pytest.raises(InvalidInput, match="other kinds"):
        parse_request(_hand_made(key, x509.SubjectAlternativeName([x509.RFC822Name("a@example.com")])))
    signs = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    signed = authority.sign_request(parse_request(_hand_made(key, signs)), now=now, validity=DAY)
    usage = load_certificates(signed.certificate_pem)[0].extensions.get_extension_for_class(x509.KeyUsage)
    assert not usage.value.key_cert_sign


def test_a_request_that_another_key_signed_is_refused() -> None:
    mine, other = (generate_key(FAST_KEY) for _ in range(2))
    request = x509.load_pem_x509_csr(_request(mine)).public_bytes(Encoding.DER)
    certified, forged = (
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for key in (mine, other)
    )
    assert certified in request
    with pytest.raises(InvalidInput, match="not signed by its own key"):
        parse_request(request.replace(certified, forged))


def test_a_weak_key_gets_no_certificate() -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  # weak on purpose
    with pytest.raises(InvalidInput, match="RSA key of 1024 bits"):
        parse_request(_hand_made(weak))


@given(st.binary())
def test_no_bytes_make_the_reader_fail_otherwise(body: bytes) -> None:
    for data in (body, b"0" + body):
        with pytest.raises(InvalidInput):
            parse_request(data)


@given(st.data())
def test_no_damaged_request_makes_the_reader_fail_otherwise(data: st.DataObject) -> None:
    der = bytearray(x509.load_pem_x509_csr(REQUEST).public_bytes(Encoding.DER))
    der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidInput):
        parse_request(bytes(der))


REQUEST = _request(generate_key(FAST_KEY))
