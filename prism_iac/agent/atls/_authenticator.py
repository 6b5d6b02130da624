"""Exported Authenticators: a certificate, proven on a connection after its handshake.

Source: RFC 9261 §5 (messages), RFC 8446 §4.4.3 (what is signed); cocos-grpc.md section 9.1.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from prism_iac.agent.atls._channel import Channel
from prism_iac.agent.atls._request import ATTESTATION, ECDSA_P256_SHA256
from prism_iac.agent.atls._wire import HandshakeType, Reader, handshake_message, vector
from prism_iac.attestation import Check, Outcome
from prism_iac.errors import InvalidInput
from prism_iac.pki import parse_certificate, public_key_of

__all__ = ["Authenticator", "Identity", "key_der_of"]

_SIGNED_PREFIX: Final = b" " * 64 + b"Exported Authenticator\0"


@dataclass(frozen=True, slots=True)
class Identity:
    """A key on P-256 with its certificate; the key is not printed.

    Attributes:
        certificates: DER, the leaf first.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificates: tuple[bytes, ...]

    @property
    def key_der(self) -> bytes:
        """The public half, SubjectPublicKeyInfo."""
        return key_der_of(self.key)

    def answer(self, request: bytes, context: bytes, payload: bytes, channel: Channel) -> bytes:
        """The authenticator that answers a request (RFC 9261 §5.2).

        Args:
            request: The whole handshake message.
            context: The request's.
            payload: What goes with the leaf, below 64 KiB.
            channel: The connection.
        """
        certificate = handshake_message(HandshakeType.CERTIFICATE, self._certificate_body(context, payload))
        signed = _signed(channel, request, certificate)
        signature = self.key.sign(signed, ec.ECDSA(SHA256(), deterministic_signing=True))
        body = ECDSA_P256_SHA256.to_bytes(2, "big") + vector(signature, 2)
        verify = handshake_message(HandshakeType.CERTIFICATE_VERIFY, body)
        finished = handshake_message(HandshakeType.FINISHED, _mac(channel, request, certificate, verify))
        return certificate + verify + finished

    def _certificate_body(self, context: bytes, payload: bytes) -> bytes:
        leaf, *others = self.certificates
        extension = ATTESTATION.to_bytes(2, "big") + vector(vector(payload, 2), 2)
        entries = vector(leaf, 3) + vector(extension, 2)
        entries += b"".join(vector(other, 3) + vector(b"", 2) for other in others)
        return vector(context, 1) + vector(entries, 3)


@dataclass(frozen=True, slots=True)
class Authenticator:
    """What a peer answered; it proves nothing until its checks are looked at.

    Attributes:
        context: That of the request that it says to answer.
        leaf: The certificate.
        payload: What came with the leaf; None when nothing did.
    """

    context: bytes
    leaf: x509.Certificate
    payload: bytes | None
    _scheme: int
    _signature: bytes = field(repr=False)
    _mac: bytes = field(repr=False)
    _certificate_message: bytes = field(repr=False)
    _verify_message: bytes = field(repr=False)

    @classmethod
    def parse(cls, data: bytes) -> Authenticator:
        """An authenticator from its three handshake messages.

        Raises:
            ValueError: It is none, or has an extension that nobody asked for.
        """
        reader = Reader(data)
        certificate = reader.message(HandshakeType.CERTIFICATE)
        verify = reader.message(HandshakeType.CERTIFICATE_VERIFY)
        mac = reader.message(HandshakeType.FINISHED)
        reader.end()
        body = Reader(verify)
        scheme, signature = body.number(2), body.vector(2)
        body.end()
        context, leaf, payload = _read_certificate(certificate)
        return cls(
            context,
            leaf,
            payload,
            scheme,
            signature,
            mac,
            handshake_message(HandshakeType.CERTIFICATE, certificate),
            handshake_message(HandshakeType.CERTIFICATE_VERIFY, verify),
        )

    @property
    def key_der(self) -> bytes:
        """The leaf's key, SubjectPublicKeyInfo."""
        return key_der_of(self.leaf)

    def checks(self, request: bytes, context: bytes, channel: Channel) -> Iterator[Check]:
        """That it answers this request, on this connection, by the leaf's key (RFC 9261 §5.2).

        Args:
            request: The whole handshake message.
            context: The request's.
            channel: The connection.
        """
        yield _judge(
            "authenticator's context", context.hex(), self.context.hex(), holds=self.context == context
        )
        signed = _signed(channel, request, self._certificate_message)
        yield _judge(
            "authenticator's signature",
            "by the certificate's key, on this connection",
            "by another key, or of another connection",
            holds=self._is_signed(signed),
        )
        mac = _mac(channel, request, self._certificate_message, self._verify_message)
        yield _judge(
            "authenticator's Finished",
            "of this connection",
            "of another connection",
            holds=hmac.compare_digest(mac, self._mac),
        )

    def _is_signed(self, message: bytes) -> bool:
        key = public_key_of(self.leaf)
        if self._scheme != ECDSA_P256_SHA256 or not _is_on_p256(key):
            return False
        assert isinstance(key, ec.EllipticCurvePublicKey), "it is on P-256"
        try:
            key.verify(self._signature, message, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


def key_der_of(holder: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    """The public key of a certificate or a private key, SubjectPublicKeyInfo."""
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read_certificate(body: bytes) -> tuple[bytes, x509.Certificate, bytes | None]:
    outer = Reader(body)
    context, entries = outer.vector(1), Reader(outer.vector(3))
    outer.end()
    leaf, extensions = entries.vector(3), Reader(entries.vector(2))
    payload = None
    if not extensions.is_at_end:
        if extensions.number(2) != ATTESTATION:
            raise ValueError("the leaf has an extension that was not asked for")
        value = Reader(extensions.vector(2))
        payload = value.vector(2)
        value.end()
        extensions.end()
    while not entries.is_at_end:
        entries.vector(3)
        if entries.vector(2):
            raise ValueError("an issuer's certificate has extensions")
    try:
        certificate = parse_certificate(leaf)
    except InvalidInput as error:
        raise ValueError("its certificate cannot be read") from error
    if public_key_of(certificate) is None:
        raise ValueError("the key of its certificate cannot be read")
    return context, certificate, payload


def _is_on_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _signed(channel: Channel, request: bytes, certificate: bytes) -> bytes:
    return _SIGNED_PREFIX + channel.hash(channel.handshake_context, request, certificate)


def _mac(channel: Channel, request: bytes, certificate: bytes, verify: bytes) -> bytes:
    transcript = channel.hash(channel.handshake_context, request, certificate, verify)
    return hmac.digest(channel.finished_key, transcript, channel.digest)


def _judge(claim: str, expected: str, found: str, *, holds: bool) -> Check:
    return Check(claim, Outcome.PASS if holds else Outcome.FAIL, expected, expected if holds else found)
