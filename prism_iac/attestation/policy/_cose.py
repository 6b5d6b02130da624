"""COSE_Sign1 over CoRIM: signed by a participant, read by `cocos-cli` and other tools.

Source: RFC 9052 §4.2 (the message) and §4.4 (what is signed); RFC 9053 §2 (algorithms); attestation.md
section 5.2 (headers). Signatures are deterministic (RFC 6979, RFC 8032), so that equal policies are equal files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from prism_iac.attestation._cbor import Tagged, decode_cbor, encode_cbor
from prism_iac.attestation.policy._refusal import refusal
from prism_iac.errors import FailedClaim, VerificationFailure
from prism_iac.pki import PrivateKey, PublicKey

__all__ = ["SIGN1_PREFIX", "SignedMessage", "sign_corim"]

SIGN1_PREFIX: Final = b"\xd2\x84"
"""How a signed file begins: tag 18 and an array of four."""

_SIGN1_TAG: Final = 18
_ALGORITHM, _CRITICAL, _CONTENT_TYPE, _CORIM_META = 1, 2, 3, 8
_CONTENT: Final = "application/rim+cbor"
_UNDERSTOOD: Final = frozenset({_ALGORITHM, _CONTENT_TYPE, _CORIM_META})
_SIGNER, _VALIDITY = 0, 1
_SIGNER_NAME: Final = 0
_NOT_BEFORE, _NOT_AFTER = 0, 1
_EPOCH_TAG: Final = 1


@dataclass(frozen=True, slots=True)
class _Algorithm:
    """RFC 9053 §2.1 and §2.2, tables 1 and 2; the curve of each as table 18 of RFC 9053 §7.1 pairs them."""

    id: int
    name: str
    curve: type[ec.EllipticCurve] | None = None
    digest: hashes.HashAlgorithm | None = None
    scalar_bytes: int = 0


_ALGORITHMS: Final = (
    _Algorithm(-7, "ES256", ec.SECP256R1, hashes.SHA256(), 32),
    _Algorithm(-35, "ES384", ec.SECP384R1, hashes.SHA384(), 48),
    _Algorithm(-36, "ES512", ec.SECP521R1, hashes.SHA512(), 66),
    _Algorithm(-8, "EdDSA"),
)


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A signed message whose signature is not looked at until `verify` is called.

    Attributes:
        payload: The CoRIM.
        algorithm: Its name in RFC 9053.
        signer: Who says to have signed it; empty when nobody does.
        not_before: From when the signature counts; None when it does not say.
        not_after: Until when, in the same way.
    """

    payload: bytes
    algorithm: str
    signer: str
    not_before: datetime | None
    not_after: datetime | None
    _protected: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    @classmethod
    def parse(cls, data: bytes) -> SignedMessage:
        """The message in a file's bytes (RFC 9052 §4.2).

        Raises:
            InvalidInput: It is none, has a header that is critical and not known, or is not about CoRIM.
        """
        try:
            message = decode_cbor(data)
            match message:
                case Tagged(
                    tag=18, value=[bytes() as protected, dict(), bytes() as payload, bytes() as signature]
                ):
                    headers = decode_cbor(protected)
                case _:
                    raise refusal("this is no COSE_Sign1 message with its payload")
            if not isinstance(headers, dict):
                raise refusal("the protected headers of the signature are no map")
            meta = decode_cbor(headers.get(_CORIM_META, b""))
        except (ValueError, TypeError) as error:
            raise refusal("the signed policy cannot be read", "Download it again.") from error
        algorithm = _algorithm_of(headers)
        signer, not_before, not_after = _read_meta(meta)
        return cls(payload, algorithm.name, signer, not_before, not_after, protected, signature)

    def verify(self, key: PublicKey, *, now: datetime) -> None:
        """That this key made the signature, and that it counts now (RFC 9052 §4.4).

        Raises:
            VerificationFailure: It did not, is of another kind, or the signature counts earlier or later.
        """
        algorithm = _algorithm_for(key)
        if algorithm is None or algorithm.name != self.algorithm:
            raise _failure("algorithm", algorithm.name if algorithm else "none of COSE", self.algorithm)
        signed = _to_be_signed(self._protected, self.payload)
        try:
            _check(algorithm, key, self._signature, signed)
        except InvalidSignature:
            raise _failure(
                "signature", "made by the given key", "made by another, or of another policy"
            ) from None
        if self.not_before is not None and now < self.not_before:
            raise _failure(
                "signature's first moment", f"before {now.isoformat()}", self.not_before.isoformat()
            )
        if self.not_after is not None and now > self.not_after:
            raise _failure("signature's last moment", f"after {now.isoformat()}", self.not_after.isoformat())


def sign_corim(payload: bytes, key: PrivateKey, *, signer: str) -> bytes:
    """A CoRIM, signed (attestation.md section 5.2; RFC 9052 §4.4).

    Args:
        payload: The CoRIM, unsigned.
        key: On P-256, P-384 or P-521, or Ed25519; `cocos-cli` itself signs with P-256 alone.
        signer: Who signs, for people.

    Raises:
        InvalidInput: The key is of another kind.
    """
    algorithm = _algorithm_for(key.public_key())
    if algorithm is None:
        raise refusal(
            "a key of this kind does not sign policies", "Use a key on P-256, P-384 or P-521, or Ed25519."
        )
    protected = encode_cbor(
        {
            _ALGORITHM: algorithm.id,
            _CONTENT_TYPE: _CONTENT,
            _CORIM_META: encode_cbor({_SIGNER: {_SIGNER_NAME: signer}}),
        }
    )
    signature = _sign(algorithm, key, _to_be_signed(protected, payload))
    return encode_cbor(Tagged(_SIGN1_TAG, [protected, {}, payload, signature]))


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return encode_cbor(["Signature1", protected, b"", payload])


def _algorithm_for(key: object) -> _Algorithm | None:
    match key:
        case ed25519.Ed25519PublicKey():
            return _ALGORITHMS[-1]
        case ec.EllipticCurvePublicKey(curve=curve):
            return next((known for known in _ALGORITHMS if known.curve is type(curve)), None)
        case _:
            return None


def _sign(algorithm: _Algorithm, key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "its public half has an algorithm"
    assert algorithm.digest is not None, "every curve has one"
    made = key.sign(message, ec.ECDSA(algorithm.digest, deterministic_signing=True))
    return b"".join(scalar.to_bytes(algorithm.scalar_bytes, "big") for scalar in decode_dss_signature(made))


def _check(algorithm: _Algorithm, key: PublicKey, signature: bytes, message: bytes) -> None:
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, message)
        return
    assert isinstance(key, ec.EllipticCurvePublicKey), "it has an algorithm"
    assert algorithm.digest is not None, "every curve has one"
    if len(signature) != 2 * algorithm.scalar_bytes:
        raise InvalidSignature
    halves = signature[: algorithm.scalar_bytes], signature[algorithm.scalar_bytes :]
    r, s = (int.from_bytes(half, "big") for half in halves)
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(algorithm.digest))


def _algorithm_of(headers: Mapping[Any, Any]) -> _Algorithm:
    found = next((known for known in _ALGORITHMS if known.id == headers.get(_ALGORITHM)), None)
    if found is None or isinstance(headers[_ALGORITHM], bool):
        names = ", ".join(known.name for known in _ALGORITHMS)
        raise refusal(
            "the policy is signed with an algorithm that is not known here", f"Sign it with {names}."
        )
    if headers.get(_CONTENT_TYPE) != _CONTENT:
        raise refusal(f"the signed content is not {_CONTENT}")
    critical = headers.get(_CRITICAL, [])
    if not isinstance(critical, list) or any(label not in _UNDERSTOOD for label in critical):
        raise refusal("the signature has a critical header that is not known here")
    return found


def _read_meta(meta: Any) -> tuple[str, datetime | None, datetime | None]:
    signer = meta.get(_SIGNER) if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not isinstance(signer, dict):
        raise refusal("the signature does not say who signs")
    name = signer.get(_SIGNER_NAME, "")
    validity = meta.get(_VALIDITY, {})
    if not isinstance(name, str) or not isinstance(validity, dict):
        raise refusal("what the signature says of its signer cannot be read")
    return name, _moment(validity.get(_NOT_BEFORE)), _moment(validity.get(_NOT_AFTER))


def _moment(value: Any) -> datetime | None:
    match value:
        case None:
            return None
        case Tagged(tag=1, value=int() as seconds):
            try:
                return datetime.fromtimestamp(seconds, UTC)
            except (ValueError, OverflowError, OSError):
                pass
    raise refusal("the validity of the signature cannot be read")


def _failure(claim: str, expected: str, found: str) -> VerificationFailure:
    return VerificationFailure(
        "the signature of the policy does not hold",
        failed=[FailedClaim(claim, expected, found)],
        next_step="Ask whoever gave you the policy for their public key, or for the policy again.",
    )
