"""Opens what a key broker encrypted to the agent: a JWE with ECDH-ES+A256KW on P-256 and AES-GCM.

Source: RFC 7516 §7.2.2 (flattened JSON), RFC 7518 §4.6 (key agreement), cocos-grpc.md section 4.6. Written here on
`cryptography`, because one algorithm of a JOSE library would be used, and nothing negotiable is wanted.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from prism_iac._json import json_object, load_json

__all__ = ["BadJweError", "agreed_key", "decoded", "encoded", "is_jwe", "open_jwe"]

_ALGORITHM: Final = "ECDH-ES+A256KW"
_KEY_BITS: Final = {"A128GCM": 128, "A192GCM": 192, "A256GCM": 256}
_WRAPPING_BITS: Final = 256
_MEMBERS: Final = ("protected", "encrypted_key", "iv", "ciphertext", "tag")


class BadJweError(ValueError):
    """It cannot be opened; the text says why and holds nothing of it."""


def is_jwe(body: bytes) -> bool:
    """Whether a body is meant as a JWE; anything else is taken as it is."""
    document = json_object(body) or {}
    return all(isinstance(document.get(name), str) for name in _MEMBERS)


def open_jwe(body: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The plain bytes of a JWE that `is_jwe`.

    Raises:
        BadJweError: It is malformed, of another algorithm, or encrypted to another key.
    """
    document: dict[str, str] = load_json(body)
    try:
        header: dict[str, Any] = load_json(decoded(document["protected"]))
        ephemeral = _public_key(header["epk"])
        if header["alg"] != _ALGORITHM or header["enc"] not in _KEY_BITS:
            raise BadJweError("its algorithms are not ECDH-ES+A256KW and AES-GCM")
        shared = key.exchange(ec.ECDH(), ephemeral)
        wrapping = agreed_key(
            shared,
            _ALGORITHM,
            _WRAPPING_BITS,
            apu=decoded(header.get("apu", "")),
            apv=decoded(header.get("apv", "")),
        )
        content_key = aes_key_unwrap(wrapping, decoded(document["encrypted_key"]))
        if len(content_key) * 8 != _KEY_BITS[header["enc"]]:
            raise BadJweError("its content key has the wrong length")
        sealed = decoded(document["ciphertext"]) + decoded(document["tag"])
        return AESGCM(content_key).decrypt(decoded(document["iv"]), sealed, document["protected"].encode())
    except (InvalidUnwrap, InvalidTag) as error:
        raise BadJweError("it was encrypted to another key, or was changed") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise error if isinstance(error, BadJweError) else BadJweError("it is malformed") from error


def agreed_key(shared: bytes, algorithm: str, bits: int, *, apu: bytes = b"", apv: bytes = b"") -> bytes:
    """The key that Concat KDF makes of a shared secret (RFC 7518 §4.6.2)."""
    other = b"".join(len(part).to_bytes(4) + part for part in (algorithm.encode(), apu, apv)) + bits.to_bytes(
        4
    )
    return ConcatKDFHash(algorithm=SHA256(), length=bits // 8, otherinfo=other).derive(shared)


def encoded(data: bytes) -> str:
    """Base64 for URLs, without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """The bytes behind `encoded`.

    Raises:
        ValueError: It is no such text.
    """
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _public_key(jwk: dict[str, str]) -> ec.EllipticCurvePublicKey:
    if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise BadJweError("its ephemeral key is not on P-256")
    point = b"\x04" + decoded(jwk["x"]) + decoded(jwk["y"])
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
