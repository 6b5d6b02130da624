"""A participant's public key, in whichever wrapping it comes, as one canonical form.

Source: prism-rest.md section 5.7 and D22; cocos-grpc.md section 3.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from prism_iac.errors import InvalidInput
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import PublicKey, public_der, weakness_of
from prism_iac.pki._pem import parse_pem

__all__ = ["load_public_key", "parse_public_key"]

_FROM_PRIVATE: Final = "Make its public half: `openssl pkey -in private.pem -pubout -out public.pem`."
_GENERATE: Final = "Make a key with `openssl genpkey -algorithm ed25519` or `cocos-cli keys`."

_OTHER_LABELS: Final = {
    "PRIVATE KEY": ("a private key", _FROM_PRIVATE),
    "RSA PRIVATE KEY": ("a private key", _FROM_PRIVATE),
    "EC PRIVATE KEY": ("a private key", _FROM_PRIVATE),
    "ENCRYPTED PRIVATE KEY": ("a private key", _FROM_PRIVATE),
    "OPENSSH PRIVATE KEY": (
        "a private key in OpenSSH's own form",
        "Make its public half: `ssh-keygen -e -m PKCS8 -f <key> > public.pem`.",
    ),
    "RSA PUBLIC KEY": (
        "a bare RSA key (PKCS#1)",
        "Convert it: `openssl rsa -RSAPublicKey_in -in key.pem -pubout -out public.pem`.",
    ),
    "SSH2 PUBLIC KEY": (
        "an SSH key",
        "Convert it: `ssh-keygen -i -m RFC4716 -f key.pub > id.pub; ssh-keygen -e -m PKCS8 -f id.pub`.",
    ),
    "CERTIFICATE": (
        "a certificate",
        "Take its key: `openssl x509 -in certificate.pem -noout -pubkey > public.pem`.",
    ),
}
"""What a file with another label is, and the command that makes a public key of it."""

_SSH_PREFIXES: Final = (b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-")
_DER_SEQUENCE: Final = b"\x30"


def parse_public_key(data: str | bytes) -> bytes:
    """A public key as PKIX SubjectPublicKeyInfo, DER.

    Args:
        data: PEM text with the label `PUBLIC KEY`, DER, or base64 of either.

    Raises:
        InvalidInput: It is something else, a private key among it, or too weak; the fix names the command
            to run. The value is not repeated.
    """
    raw = data.encode() if isinstance(data, str) else data
    if not raw.startswith(_DER_SEQUENCE):
        raw = raw.strip()
    if _is_plain(raw):
        return public_der(_load_plain(raw))
    try:
        inner = base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error:
        inner = b""
    if not _is_plain(inner):
        raise invalid(
            "this is not a public key: neither PEM nor DER, nor base64 of one",
            "Give the file that begins with -----BEGIN PUBLIC KEY-----.",
        )
    return public_der(_load_plain(inner))


def load_public_key(der: bytes) -> PublicKey:
    """A key from PKIX SubjectPublicKeyInfo, DER.

    Raises:
        InvalidInput: It is no such key, or one that Prism does not accept.
    """
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise invalid("the public key cannot be read", _GENERATE) from error
    weakness = weakness_of(key)
    if weakness or not isinstance(key, PublicKey):
        raise invalid(
            f"{weakness} is not accepted; use RSA from 2048 bits, P-256, P-384, P-521 or Ed25519", _GENERATE
        )
    return key


def _is_plain(data: bytes) -> bool:
    return data.startswith((_DER_SEQUENCE, *_SSH_PREFIXES)) or b"-----BEGIN " in data


def _load_plain(data: bytes) -> PublicKey:
    if data.startswith(_DER_SEQUENCE):
        return _load_der(data)
    if data.startswith(_SSH_PREFIXES):
        raise invalid(
            "this is an OpenSSH public key", "Convert it: `ssh-keygen -e -m PKCS8 -f key.pub > public.pem`."
        )
    blocks = parse_pem(data)
    for block in blocks:
        if block.label in _OTHER_LABELS:
            what, fix = _OTHER_LABELS[block.label]
            raise invalid(f"this is {what}, not a public key", fix)
    if [block.label for block in blocks] != ["PUBLIC KEY"]:
        raise invalid(
            "this is not one public key",
            "Give a file with one block, -----BEGIN PUBLIC KEY-----, and no other.",
        )
    return _load_der(blocks[0].der)


def _load_der(data: bytes) -> PublicKey:
    try:
        return load_public_key(data)
    except InvalidInput:
        if _is_private_der(data):
            raise invalid("this is a private key, not a public key", _FROM_PRIVATE) from None
        raise


def _is_private_der(data: bytes) -> bool:
    try:
        load_der_private_key(data, password=None)
    except TypeError:  # the library's way to say that it needs a passphrase
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True
