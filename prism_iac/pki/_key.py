"""Private keys: made here, or read from what people and other tools wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from pydantic import ValidationError

from prism_iac.model import findings_of
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki._findings import invalid
from prism_iac.pki._pem import parse_pem

__all__ = [
    "KeyPair",
    "PrivateKey",
    "PublicKey",
    "generate_key",
    "generate_key_pair",
    "load_private_key",
    "private_pem",
    "public_der",
    "public_pem",
    "weakness_of",
]

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_RSA_EXPONENT: Final = 65537
_LEAST_RSA_BITS: Final = 2048
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")

_MAKERS: Final[dict[tuple[KeyAlgorithm, int], Callable[[], PrivateKey]]] = {
    (KeyAlgorithm.RSA, 2048): lambda: rsa.generate_private_key(_RSA_EXPONENT, 2048),
    (KeyAlgorithm.RSA, 3072): lambda: rsa.generate_private_key(_RSA_EXPONENT, 3072),
    (KeyAlgorithm.RSA, 4096): lambda: rsa.generate_private_key(_RSA_EXPONENT, 4096),
    (KeyAlgorithm.ECDSA, 256): lambda: ec.generate_private_key(ec.SECP256R1()),
    (KeyAlgorithm.ECDSA, 384): lambda: ec.generate_private_key(ec.SECP384R1()),
    (KeyAlgorithm.ED25519, 256): ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A participant's key; the private half is not printed.

    Attributes:
        private_pem: PKCS#8, without a passphrase.
        public_pem: PKIX, label `PUBLIC KEY`.
    """

    private_pem: bytes = field(repr=False)
    public_pem: bytes


def generate_key_pair(algorithm: KeyAlgorithm, size: int | None = None) -> KeyPair:
    """A fresh key pair; RSA-4096 takes about a second.

    Args:
        algorithm: The kind of key.
        size: Bits; the algorithm's default when left out.

    Raises:
        InvalidInput: The algorithm has no keys of that size.
    """
    try:
        spec = KeySpec(algorithm=algorithm, size=size)
    except ValidationError as error:
        raise findings_of(error, KeySpec) from None
    key = generate_key(spec)
    return KeyPair(private_pem=private_pem(key), public_pem=public_pem(key.public_key()))


def generate_key(spec: KeySpec) -> PrivateKey:
    """A fresh private key; other threads run meanwhile."""
    assert spec.size is not None, "a validated key specification has a size"
    return _MAKERS[spec.algorithm, spec.size]()


def load_private_key(data: bytes) -> PrivateKey:
    """A private key from PEM.

    PKCS#8, PKCS#1 and SEC1 are read under any of their labels: `cocos-cli keys -k rsa` writes PKCS#1
    under the label of PKCS#8 (cocos-grpc.md section 3).

    Raises:
        InvalidInput: There is no such key, it needs a passphrase, or it is of a kind that Prism does not use.
    """
    block = next((block for block in parse_pem(data) if block.label.endswith("PRIVATE KEY")), None)
    if block is None:
        raise invalid(
            "this is not a private key in PEM form",
            "Give the file that begins with -----BEGIN PRIVATE KEY-----; "
            "for a DER file run `openssl pkey -inform DER -in key.der -out private.pem`.",
        )
    if block.is_encrypted:
        raise invalid(
            "the private key is protected by a passphrase",
            "Make a copy without one: `openssl pkey -in private.pem -out plain.pem`.",
        )
    if block.label == "OPENSSH PRIVATE KEY":
        raise invalid(
            "the private key has OpenSSH's own form",
            "Convert a copy of it: `ssh-keygen -p -N '' -m PKCS8 -f <copy>`.",
        )
    try:
        key = load_der_private_key(block.der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise invalid("the private key cannot be read", "Make one with `openssl genpkey`.") from error
    if not isinstance(key, PrivateKey) or weakness_of(key.public_key()):
        raise invalid(
            "the private key is of a kind that Prism does not use",
            "Use RSA from 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519.",
        )
    return key


def weakness_of(key: object) -> str | None:
    """Why a public key is not accepted, as a noun phrase; None when it is (prism-rest.md D22)."""
    match key:
        case rsa.RSAPublicKey(key_size=bits):
            return f"an RSA key of {bits} bits" if bits < _LEAST_RSA_BITS else None
        case ec.EllipticCurvePublicKey(curve=curve):
            return None if curve.name in _CURVES else f"a key on the curve {curve.name}"
        case ed25519.Ed25519PublicKey():
            return None
        case _:
            return "a key of another kind"


def private_pem(key: PrivateKey) -> bytes:
    """A private key as PKCS#8 PEM without a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PublicKey) -> bytes:
    """A public key as PKIX PEM, label `PUBLIC KEY`."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_der(key: PublicKey) -> bytes:
    """A public key as PKIX SubjectPublicKeyInfo, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
