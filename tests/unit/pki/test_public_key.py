from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import Authority, generate_key_pair, parse_public_key

PAIR = generate_key_pair(KeyAlgorithm.ECDSA)
DER = load_pem_public_key(PAIR.public_pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM = PAIR.public_pem.decode()


@pytest.mark.parametrize(
    "data",
    [
        PAIR.public_pem,
        PEM,
        "text before\n" + PEM.replace("\n", "\r\n") + "text after",
        DER,
        base64.b64encode(DER),
        base64.b64encode(DER).decode() + "\n",
        base64.encodebytes(PAIR.public_pem),
        base64.b64encode(PAIR.public_pem).decode(),
    ],
)
def test_every_documented_wrapping_gives_the_same_der(data: str | bytes) -> None:
    assert parse_public_key(data) == DER


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 2048),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        ed25519.Ed25519PrivateKey.generate,
    ],
)
def test_the_kinds_that_prism_knows_are_accepted(make: Callable[[], ed25519.Ed25519PrivateKey]) -> None:
    public = make().public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert parse_public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)) == der


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "an RSA key of 1024 bits"),  # noqa: S505  # weak on purpose
        (lambda: ec.generate_private_key(ec.SECP256K1()), "a key on the curve secp256k1"),
        (lambda: dsa.generate_private_key(1024), "a key of another kind"),  # noqa: S505  # weak on purpose
        (ed448.Ed448PrivateKey.generate, "a key of another kind"),
    ],
)
def test_weak_and_foreign_kinds_are_refused_by_name(
    make: Callable[[], ed25519.Ed25519PrivateKey], named: str
) -> None:
    pem = make().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(InvalidInput, match=named):
        parse_public_key(pem)


def test_an_openssh_key_is_refused_with_the_command_that_converts_it() -> None:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    for data in (line, base64.b64encode(line)):
        with pytest.raises(InvalidInput, match="ssh-keygen -e -m PKCS8"):
            parse_public_key(data)


def _private_wrappings() -> list[bytes]:
    key = rsa.generate_private_key(65537, 2048)
    password = BestAvailableEncryption(b"x")
    return [
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, password),
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, password),
        base64.b64encode(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        base64.b64encode(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
    ]


def test_a_private_key_is_refused_in_every_wrapping_and_not_repeated() -> None:
    for data in _private_wrappings():
        with pytest.raises(InvalidInput, match="this is a private key") as refusal:
            parse_public_key(data)
        assert "pubout" in str(refusal.value) or "ssh-keygen" in str(refusal.value)


def test_a_certificate_is_refused_with_the_command_that_takes_its_key(authority: Authority) -> None:
    with pytest.raises(InvalidInput, match=r"openssl x509 .* -pubkey"):
        parse_public_key(authority.certificate_pem)


def test_two_keys_in_one_file_are_refused() -> None:
    with pytest.raises(InvalidInput, match="not one public key"):
        parse_public_key(PEM + PEM)


@given(st.one_of(st.binary(), st.text().map(str.encode), st.binary().map(base64.b64encode)))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_public_key(data)


@given(st.integers(0, len(DER) - 1), st.integers(1, 255))
def test_a_damaged_key_is_read_or_refused(position: int, flip: int) -> None:
    damaged = bytearray(DER)
    damaged[position] ^= flip
    with suppress(InvalidInput):
        assert parse_public_key(bytes(damaged))
