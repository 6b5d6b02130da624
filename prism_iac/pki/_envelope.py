"""Signed statements: DSSE envelopes, signed by any number of keys.

What is signed is not the payload but its pre-authentication encoding, so that no signature of another protocol
is one of these. Signatures are pure Ed25519; ECDSA as ASN.1 DER, over SHA-256 on P-256, SHA-384 on P-384 and
SHA-512 on P-521; or RSA PKCS#1 v1.5 over SHA-256.
Source: DSSE v1.0.2, protocol.md ("Signature Definition") and envelope.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from prism_iac._json import load_json
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki._key import PrivateKey, public_der
from prism_iac.pki._public_key import load_public_key

__all__ = ["Envelope", "EnvelopeSignature", "key_id", "pre_authentication_encoding"]

_EC_HASHES: Final[dict[int, type[HashAlgorithm]]] = {256: SHA256, 384: SHA384, 521: SHA512}


@dataclass(frozen=True, slots=True)
class EnvelopeSignature:
    """One signature; the key id is a hint and part of nothing that is signed."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its type, and who signed both.

    Attributes:
        signatures: In the order of signing; each key once.
    """

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Envelope:
        """The envelope in a file's bytes, which must be those that `to_bytes` writes.

        So there is one file for an envelope, and no byte of it without a meaning.

        Raises:
            InvalidInput: It is no such envelope.
        """
        try:
            document = load_json(data)
            envelope = cls(
                payload_type=str(document["payloadType"]),
                payload=base64.b64decode(document["payload"], validate=True),
                signatures=tuple(
                    EnvelopeSignature(str(item["keyid"]), base64.b64decode(item["sig"], validate=True))
                    for item in document["signatures"]
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise _refusal("this is no DSSE envelope") from error
        if envelope.to_bytes() != data:
            raise _refusal("the envelope is not written as it was signed")
        if len({item.key_id for item in envelope.signatures}) != len(envelope.signatures):
            raise _refusal("a key stands among the signatures twice")
        return envelope

    def to_bytes(self) -> bytes:
        """The envelope as JSON with two spaces, ending with a line feed."""
        document = {
            "payload": _b64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": item.key_id, "sig": _b64(item.signature)} for item in self.signatures],
        }
        return json.dumps(document, indent=2).encode() + b"\n"

    def signed(self, key: PrivateKey) -> Envelope:
        """The envelope with one more signature; one by the same key is replaced."""
        der = public_der(key.public_key())
        signature = EnvelopeSignature(key_id(der), _sign(key, self._message()))
        others = (item for item in self.signatures if item.key_id != signature.key_id)
        return replace(self, signatures=(*others, signature))

    def verify(self, public_keys_der: Sequence[bytes]) -> tuple[bytes, ...]:
        """The keys that have signed, in the order of signing.

        Args:
            public_keys_der: The keys that may, PKIX SubjectPublicKeyInfo.

        Raises:
            InvalidInput: There is no signature, one is by another key, or one does not hold.
        """
        known = {key_id(key): key for key in public_keys_der}
        if not self.signatures:
            raise _refusal("nobody has signed it")
        return tuple(self._verified(item, known.get(item.key_id)) for item in self.signatures)

    def _verified(self, signature: EnvelopeSignature, key: bytes | None) -> bytes:
        if key is None:
            raise _refusal(f"it is signed by a key that may not sign it, {signature.key_id[:16]}…")
        try:
            _verify(key, signature.signature, self._message())
        except InvalidSignature:
            raise _refusal(f"the signature of the key {signature.key_id[:16]}… does not hold") from None
        return key

    def _message(self) -> bytes:
        return pre_authentication_encoding(self.payload_type, self.payload)


def key_id(public_key_der: bytes) -> str:
    """What a key is called in an envelope: SHA-256 of its PKIX form, hexadecimal."""
    return hashlib.sha256(public_key_der).hexdigest()


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """PAE of DSSE v1: `DSSEv1`, then each length in decimal and its bytes, with a space between all."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _sign(key: PrivateKey, message: bytes) -> bytes:
    match key:
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), SHA256())
        case ec.EllipticCurvePrivateKey():
            return key.sign(message, ec.ECDSA(_EC_HASHES[key.key_size]()))
        case ed25519.Ed25519PrivateKey():
            return key.sign(message)


def _verify(public_key_der: bytes, signature: bytes, message: bytes) -> None:
    match load_public_key(public_key_der):
        case rsa.RSAPublicKey() as key:
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
        case ec.EllipticCurvePublicKey() as key:
            key.verify(signature, message, ec.ECDSA(_EC_HASHES[key.key_size]()))
        case ed25519.Ed25519PublicKey() as key:
            key.verify(signature, message)


def _refusal(message: str) -> InvalidInput:
    return InvalidInput([Finding(message=message, fix="Bring it back as it was, from the repository.")])


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
