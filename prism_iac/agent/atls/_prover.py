"""The agent's side: evidence that is bound to a connection.

Source: cocos-grpc.md sections 9.1 and 9.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from prism_iac.agent.atls._authenticator import Identity, key_der_of
from prism_iac.agent.atls._certified import certify, nonce_for, nonce_in
from prism_iac.agent.atls._channel import Binding
from prism_iac.agent.atls._payload import Payload
from prism_iac.agent.atls._request import ECDSA_P256_SHA256, AuthenticatorRequest
from prism_iac.agent.atls._stream import TlsStream
from prism_iac.agent.atls._wire import FrameType
from prism_iac.attestation import Nonce, Token
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, load_certificates, load_private_key

__all__ = ["Attest", "Prover", "fresh_pair"]

Attest: TypeAlias = Callable[[Nonce], bytes]
"""Gives a token in CBOR with evidence that holds a nonce."""

_NAME: Final = "prism-iac agent"
_VALIDITY: Final = timedelta(days=365)
"""As long as a computation may run; nobody trusts it for its dates."""


def fresh_pair(now: datetime) -> tuple[bytes, bytes]:
    """A self-signed certificate on P-256 and its key, PEM, for an agent that was given none."""
    authority = Authority.create(
        _NAME, key=KeySpec(algorithm=KeyAlgorithm.ECDSA), now=now, validity=_VALIDITY
    )
    return authority.certificate_pem, authority.key_pem


@dataclass(frozen=True, slots=True)
class Prover:
    """Answers for one VM.

    Attributes:
        identity: What authenticators are made with.
        attest: Asks the platform.
        now: The time, aware.
    """

    identity: Identity
    attest: Attest
    now: Callable[[], datetime]

    @classmethod
    def of(cls, certificate: bytes, key: bytes, attest: Attest, *, now: Callable[[], datetime]) -> Prover:
        """A prover that answers with the agent's own pair, or with a fresh one when that is not on P-256.

        Args:
            certificate: PEM, the leaf first.
            key: PEM.
            attest: Asks the platform.
            now: The time, aware.
        """
        private = load_private_key(key)
        if not (isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP256R1)):
            return cls.of(*fresh_pair(now()), attest, now=now)
        chain = tuple(item.public_bytes(Encoding.DER) for item in load_certificates(certificate))
        return cls(Identity(private, chain), attest, now)

    def certify(self, name: bytes | None) -> tuple[bytes, bytes] | None:
        """A certificate with evidence and its key, PEM, for a client of the older generation; None for others.

        Args:
            name: What the client asks for, if anything.
        """
        nonce = nonce_in(name)
        if nonce is None:
            return None
        key = ec.generate_private_key(ec.SECP256R1())
        evidence = Token.parse(self.attest(nonce_for(key_der_of(key), nonce))).raw_report
        certificate = certify(key, evidence, now=self.now())
        return (
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def prove(self, stream: TlsStream) -> None:
        """Receive a request and answer it; of a client of the older generation there is none.

        Raises:
            ValueError: It is none, or asks for what is not to be had.
            SSL.Error: The connection broke. Or StreamEnded.
        """
        if nonce_in(stream.name) is not None:
            return
        request = stream.receive_frame(FrameType.REQUEST)
        asked = AuthenticatorRequest.parse(request)
        if not asked.offers_attestation:
            raise ValueError("it does not ask for evidence")
        if ECDSA_P256_SHA256 not in asked.schemes:
            raise ValueError("it does not understand signatures on P-256")
        channel = stream.channel()
        binding = Binding.of(channel, self.identity.key_der, asked.context)
        payload = Payload.of(self.attest(binding.nonce), binding).to_bytes()
        answer = self.identity.answer(request, asked.context, payload, channel)
        stream.send_frame(FrameType.AUTHENTICATOR, answer)
