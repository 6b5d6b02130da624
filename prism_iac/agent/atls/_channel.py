"""What the two ends of one TLS 1.3 connection can compute, and nobody else.

Source: RFC 8446 §7.5 (exporters); RFC 9261 §5.1; cocos-grpc.md section 9.1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Protocol

from prism_iac.attestation import Nonce

__all__ = ["EXPORTER_LABEL", "Binding", "Channel", "Exporter"]

EXPORTER_LABEL: Final = "Attestation"
_HANDSHAKE_CONTEXT: Final = b"EXPORTER-server authenticator handshake context"
_FINISHED_KEY: Final = b"EXPORTER-server authenticator finished key"
_VALUE_BYTES: Final = 32


class Exporter(Protocol):
    """The exporter of a connection; its parameters are named by position."""

    def __call__(self, label: bytes, length: int, context: bytes | None, /) -> bytes:
        """Keying material of a length."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One TLS 1.3 connection.

    Attributes:
        export: Its exporter.
        digest: The hash of its cipher suite, by its name in `hashlib`.
    """

    export: Exporter = field(repr=False)
    digest: str

    def hash(self, *parts: bytes) -> bytes:
        """The hash of the cipher suite over all parts."""
        return hashlib.new(self.digest, b"".join(parts)).digest()

    @property
    def handshake_context(self) -> bytes:
        """What a server's signature covers, so that it counts on this connection alone."""
        return self.export(_HANDSHAKE_CONTEXT, hashlib.new(self.digest).digest_size, None)

    @property
    def finished_key(self) -> bytes:
        """The key of a server's Finished message."""
        return self.export(_FINISHED_KEY, hashlib.new(self.digest).digest_size, None)

    def attestation_value(self, context: bytes) -> bytes:
        """What evidence is bound to: 32 bytes of this connection and of one request on it."""
        return self.export(EXPORTER_LABEL.encode(), _VALUE_BYTES, context)


@dataclass(frozen=True, slots=True)
class Binding:
    """What ties evidence to a connection, to a request on it, and to the key that answers.

    Attributes:
        key_hash: Of the key.
        value: Of the key and the connection.
        nonce: What the evidence must hold.
    """

    key_hash: bytes
    value: bytes
    nonce: Nonce

    @classmethod
    def of(cls, channel: Channel, key_der: bytes, context: bytes) -> Binding:
        """The binding of a key, as SubjectPublicKeyInfo (cocos-grpc.md section 9.1, payload)."""
        exported = channel.attestation_value(context)
        value = channel.hash(key_der, exported)
        nonce = Nonce.of(hashlib.sha512(value).digest(), hashlib.sha256(exported).digest())
        return cls(channel.hash(key_der), value, nonce)
