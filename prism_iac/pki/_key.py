"""Private keys: made here, or read from what people and other tools wrote."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from pydantic import ValidationError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import findings_of
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki._findings import invalid
from prism_iac.pki._form import TO_KEY, Form, form_of
from prism_iac.pki._pem import parse_pem

__all__ = [
    "WRONG_PASSPHRASE",
    "KeyPair",
    "PrivateKey",
    "PublicKey",
    "digest_for",
    "generate_key",
    "generate_key_pair",
    "generate_keys",
    "key_spec",
    "load_private_key",
    "loose_mode",
    "private_pem",
    "public_der",
    "public_pem",
    "require_usable",
    "weakness_of",
]

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_OTHERS: Final = 0o077

WRONG_PASSPHRASE: Final = (
    "the passphrase does not open the private key",
    "Give the one that it was encrypted with: `openssl pkey -in private.pem -noout` asks for it.",
)
"""Message and fix; a damaged key looks the same."""

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
    key = generate_key(key_spec(algorithm, size))
    return KeyPair(private_pem=private_pem(key), public_pem=public_pem(key.public_key()))


def key_spec(algorithm: KeyAlgorithm, size: int | None = None) -> KeySpec:
    """What kind of key to make. Arguments and errors as in `generate_key_pair`."""
    try:
        return KeySpec(algorithm=algorithm, size=size)
    except ValidationError as error:
        raise findings_of(error, KeySpec) from None


def generate_key(spec: KeySpec) -> PrivateKey:
    """A fresh private key; other threads run meanwhile."""
    assert spec.size is not None, "a validated key specification has a size"
    return _MAKERS[spec.algorithm, spec.size]()


def generate_keys(spec: KeySpec, count: int) -> list[PrivateKey]:
    """Fresh private keys; those that take long are made side by side."""
    if spec.algorithm is not KeyAlgorithm.RSA:
        return [generate_key(spec) for _ in range(count)]
    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(generate_key, [spec] * count))


def load_private_key(data: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """A private key from PEM.

    PKCS#8, PKCS#1 and SEC1 are read under any of their labels: `cocos-cli keys -k rsa` writes PKCS#1
    under the label of PKCS#8 (cocos-grpc.md section 3).

    Args:
        data: PEM text; the first private key in it counts.
        passphrase: What opens an encrypted key; not looked at when the key is in clear.

    Raises:
        InvalidInput: There is no such key, the passphrase is missing or wrong, or the key is of a kind that
            Prism does not use. Neither key nor passphrase is repeated.
    """
    block = next((block for block in parse_pem(data) if block.label.endswith("PRIVATE KEY")), None)
    if block is None:
        raise _no_key(form_of(data))
    if block.label == "OPENSSH PRIVATE KEY":
        raise invalid(
            "the private key has OpenSSH's own form",
            "Convert a copy of it: `ssh-keygen -p -N '' -m PKCS8 -f <copy>`.",
        )
    if block.is_encrypted:
        return require_usable(_decrypted(block.text, passphrase))
    try:
        return require_usable(load_der_private_key(block.der, password=None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise invalid("the private key cannot be read", "Make one with `openssl genpkey`.") from error


def _no_key(form: Form) -> InvalidInput:
    if form in TO_KEY:
        return invalid(f"this is {form}, not PEM text", f"Convert it: `{TO_KEY[form]}`.")
    return invalid(
        "this is not a private key in PEM form",
        "Give the file that begins with -----BEGIN PRIVATE KEY-----.",
    )


def _decrypted(pem: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    if not passphrase:
        raise invalid(
            "the private key is protected by a passphrase",
            "Give its passphrase, or make a copy without one: `openssl pkey -in private.pem -out plain.pem`.",
        )
    try:
        return load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise invalid(*WRONG_PASSPHRASE) from error


def require_usable(key: PrivateKeyTypes) -> PrivateKey:
    """A key that Prism uses.

    Raises:
        InvalidInput: It is of another kind, or too weak.
    """
    if not isinstance(key, PrivateKey) or weakness_of(key.public_key()):
        raise invalid(
            "the private key is of a kind that Prism does not use",
            "Use RSA from 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519.",
        )
    return key


def loose_mode(mode: int, file: str, *, what: str = "private key") -> Finding | None:
    """What is wrong with who may read or write a secret's file; None when only its owner may.

    Args:
        mode: The bits of its mode, as `stat` gives them.
        file: Its path, as the user named it.
        what: What is in it.
    """
    if mode & _OTHERS == 0:
        return None
    return Finding(
        file=file,
        line=1,
        column=1,
        message=f"the {what} is open to others than its owner (mode {mode & 0o777:04o})",
        fix=f"Run `chmod 600 {shlex.quote(file)}`; where others may have read it, make a new one.",
    )


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


def digest_for(key: PrivateKey) -> SHA256 | SHA384 | SHA512 | None:
    """The hash that a key signs with; None for a key that hashes by itself."""
    match key:
        case ed25519.Ed25519PrivateKey():
            return None
        case ec.EllipticCurvePrivateKey(key_size=384):
            return SHA384()
        case ec.EllipticCurvePrivateKey(key_size=521):
            return SHA512()
        case _:
            return SHA256()


def private_pem(key: PrivateKey) -> bytes:
    """A private key as PKCS#8 PEM without a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PublicKey) -> bytes:
    """A public key as PKIX PEM, label `PUBLIC KEY`."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_der(key: PublicKey) -> bytes:
    """A public key as PKIX SubjectPublicKeyInfo, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
