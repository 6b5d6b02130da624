"""The request that an Exported Authenticator answers.

Source: RFC 9261 §4; cocos-grpc.md section 9.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prism_iac.agent.atls._wire import HandshakeType, Reader, handshake_message, vector

__all__ = ["ATTESTATION", "CONTEXT_BYTES", "ECDSA_P256_SHA256", "AuthenticatorRequest"]

CONTEXT_BYTES: Final = 32
ECDSA_P256_SHA256: Final = 0x0403
"""RFC 8446 §4.2.3; the only signature that agents make."""

ATTESTATION: Final = 0xFF00
"""The extension `cmw_attestation`; its number is of the private use range."""

_SIGNATURE_ALGORITHMS: Final = 0x000D


@dataclass(frozen=True, slots=True)
class AuthenticatorRequest:
    """What a client asks for.

    Attributes:
        context: Random bytes that the answer repeats and depends on; 1 to 255.
        schemes: The signatures that it understands.
        offers_attestation: Whether evidence may come with the answer.
    """

    context: bytes
    schemes: tuple[int, ...] = (ECDSA_P256_SHA256,)
    offers_attestation: bool = True

    def to_bytes(self) -> bytes:
        """The handshake message."""
        schemes = b"".join(scheme.to_bytes(2, "big") for scheme in self.schemes)
        extensions = _extension(_SIGNATURE_ALGORITHMS, vector(schemes, 2))
        if self.offers_attestation:
            extensions += _extension(ATTESTATION, b"")
        body = vector(self.context, 1) + vector(extensions, 2)
        return handshake_message(HandshakeType.CLIENT_CERTIFICATE_REQUEST, body)

    @classmethod
    def parse(cls, data: bytes) -> AuthenticatorRequest:
        """A request from its handshake message; extensions that are not known here are passed over.

        Raises:
            ValueError: It is none, or names no signatures.
        """
        outer = Reader(data)
        body = Reader(
            outer.message(HandshakeType.CLIENT_CERTIFICATE_REQUEST, HandshakeType.CERTIFICATE_REQUEST)
        )
        outer.end()
        context, extensions = body.vector(1), Reader(body.vector(2))
        body.end()
        found: dict[int, bytes] = {}
        while not extensions.is_at_end:
            kind, value = extensions.number(2), extensions.vector(2)
            if kind in found:
                raise ValueError(f"the extension {kind:#06x} stands there twice")
            found[kind] = value
        if not context or _SIGNATURE_ALGORITHMS not in found:
            raise ValueError("it has no context, or names no signatures")
        return cls(context, _schemes(found[_SIGNATURE_ALGORITHMS]), ATTESTATION in found)


def _schemes(extension: bytes) -> tuple[int, ...]:
    outer = Reader(extension)
    schemes = Reader(outer.vector(2))
    outer.end()
    found = []
    while not schemes.is_at_end:
        found.append(schemes.number(2))
    return tuple(found)


def _extension(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(value, 2)
