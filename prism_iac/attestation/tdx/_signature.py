"""Signatures of quotes and of Intel's documents.

Source: attestation.md sections 4.1 and 4.4: ECDSA on P-256 with SHA-256, r and s of 32 bytes, big-endian.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["is_signed_by", "key_of_point", "point_of_key", "sign_raw"]

_SCALAR_BYTES = 32


def is_signed_by(key: PublicKeyTypes | None, signature: bytes, data: bytes) -> bool:
    """Whether a key on P-256 made a raw signature (attestation.md section 4.1)."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return False
    if len(signature) != 2 * _SCALAR_BYTES:
        return False
    r, s = (int.from_bytes(part, "big") for part in (signature[:_SCALAR_BYTES], signature[_SCALAR_BYTES:]))
    try:
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def sign_raw(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """A raw signature, 64 bytes (attestation.md section 4.1)."""
    numbers = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return b"".join(number.to_bytes(_SCALAR_BYTES, "big") for number in numbers)


def key_of_point(point: bytes) -> ec.EllipticCurvePublicKey | None:
    """The key whose x and y these are; None when they are not on the curve (section 4.1)."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)
    except ValueError:
        return None


def point_of_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """X and y, 64 bytes."""
    numbers = key.public_numbers()
    return b"".join(number.to_bytes(_SCALAR_BYTES, "big") for number in (numbers.x, numbers.y))
