"""Keys, certificates, requests, answers of OCSP responders and signed envelopes, in every form that people bring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509 import ocsp

from prism_iac.model.resources import KeyAlgorithm, KeySpec, Subject
from prism_iac.pki import (
    Authority,
    Envelope,
    KeyPair,
    PrivateKey,
    Revocation,
    create_ocsp_request,
    create_request,
    describe_certificate,
    generate_key_pair,
    load_certificates,
    load_private_key,
    load_public_key,
    parse_public_key,
    parse_request,
    private_pem,
    public_der,
    read_certificates,
    read_ocsp_response,
    read_private_key,
)
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

_NOW = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
_YEARS = timedelta(days=3650)
_EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)
_PASSPHRASE = b"open sesame"


@cache
def _authority() -> Authority:
    return Authority.create("Fuzz CA", key=_EC, now=_NOW, validity=_YEARS)


@cache
def _leaf() -> bytes:
    issued = _authority().issue(
        common_name="agent",
        dns_names=["localhost"],
        ip_addresses=["127.0.0.1"],
        key=_EC,
        now=_NOW,
        validity=_YEARS,
    )
    return issued.certificate_pem + issued.key_pem


def _key_pairs() -> Iterator[KeyPair]:
    for algorithm in (KeyAlgorithm.ED25519, KeyAlgorithm.ECDSA):
        yield generate_key_pair(algorithm)


def _certificates(data: bytes) -> None:
    for certificate in read_certificates(data, _PASSPHRASE):
        pem = certificate.public_bytes(Encoding.PEM)
        assert load_certificates(pem) == (certificate,)
        describe_certificate(certificate)


def _private_key(data: bytes) -> None:
    key = read_private_key(data, _PASSPHRASE)
    assert public_der(load_private_key(private_pem(key)).public_key()) == public_der(key.public_key())


def _public_key(data: bytes) -> None:
    der = parse_public_key(data)
    assert parse_public_key(der) == der
    assert public_der(load_public_key(der)) == der


def _request(data: bytes) -> None:
    parse_request(data)


_END = b"-----END CERTIFICATE-----\n"


def _ocsp_answer(data: bytes) -> None:
    """Certificates, and what a responder says of the first."""
    certificates, end, answer = data.rpartition(_END)
    read_ocsp_response(answer, certificates + end, certificates + end, now=_NOW)


def _ocsp_request(data: bytes) -> None:
    ocsp.load_der_ocsp_response(_authority().ocsp_response(data, lambda _: None, _NOW))


def _envelope(data: bytes) -> None:
    envelope = Envelope.parse(data)
    assert Envelope.parse(envelope.to_bytes()) == envelope


def _certificate_files() -> Iterator[bytes]:
    (leaf,) = load_certificates(_leaf())
    (ca,) = load_certificates(_authority().certificate_pem)
    chain = [leaf, ca]
    yield b"".join(item.public_bytes(Encoding.PEM) for item in chain)
    yield leaf.public_bytes(Encoding.DER)
    yield pkcs7.serialize_certificates(chain, Encoding.DER)
    yield _store()


def _store() -> bytes:
    (leaf,) = load_certificates(_leaf())
    return pkcs12.serialize_key_and_certificates(
        b"agent", load_private_key(_leaf()), leaf, None, BestAvailableEncryption(_PASSPHRASE)
    )


def _private_keys() -> Iterator[bytes]:
    keys: list[PrivateKey] = [load_private_key(pair.private_pem) for pair in _key_pairs()]
    sealed = BestAvailableEncryption(_PASSPHRASE)
    for key in keys:
        yield private_pem(key)
        yield key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, sealed)
        yield key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)
    yield keys[0].private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    yield _store()


def _public_keys() -> Iterator[bytes]:
    for pair in _key_pairs():
        key = load_private_key(pair.private_pem).public_key()
        yield pair.public_pem
        yield public_der(key)
        yield key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def _requests() -> Iterator[bytes]:
    yield create_request(
        load_private_key(_leaf()),
        common_name="agent",
        subject=Subject(organization="Fuzz"),
        dns_names=["localhost"],
        ip_addresses=["127.0.0.1"],
    )


def _ocsp_requests() -> Iterator[bytes]:
    yield create_ocsp_request(_leaf(), _authority().certificate_pem)


def _ocsp_answers() -> Iterator[bytes]:
    certificates = b"".join(next(_certificate_files()).partition(_END)[:2]) + _authority().certificate_pem
    request = next(_ocsp_requests())
    yield certificates + _authority().ocsp_response(request, lambda _: None, _NOW)
    yield certificates + _authority().ocsp_response(request, lambda _: Revocation(_NOW), _NOW)


def _envelopes() -> Iterator[bytes]:
    envelope = Envelope("text/plain", b"payload")
    for pair in _key_pairs():
        envelope = envelope.signed(load_private_key(pair.private_pem))
        yield envelope.to_bytes()


TARGETS = (
    Target("certificates", _certificates, _certificate_files),
    Target("private-key", _private_key, _private_keys),
    Target("public-key", _public_key, _public_keys),
    Target("certificate-request", _request, _requests),
    Target("ocsp-request", _ocsp_request, _ocsp_requests),
    Target("ocsp-answer", _ocsp_answer, _ocsp_answers),
    Target("envelope", _envelope, _envelopes),
)
