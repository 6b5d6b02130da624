"""The client's side: has an agent prove itself before the first byte of a call.

1. The request goes over the connection, with fresh random bytes in it.
2. The answer is an Exported Authenticator for this request, by the key of its certificate, on this connection.
3. It brings evidence, and says that it is bound to that key and this connection.
4. A token around the evidence answers the nonce that follows from this connection.
5. The evidence meets the policy, and holds what follows from that key and this connection.

All checks are told at once. The certificate of the authenticator need not be that of the handshake: the
evidence vouches for the first, a CA for the second, and both are proven on the same connection.

Agents of the older generation have proven the key of their certificate in the handshake. What remains is that the
evidence in it meets the policy, and holds what follows from that key and the nonce of this connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prism_iac.agent._required import RequiredEvidence
from prism_iac.agent.atls._authenticator import Authenticator, key_der_of
from prism_iac.agent.atls._certified import evidence_in, nonce_for
from prism_iac.agent.atls._channel import Binding
from prism_iac.agent.atls._payload import Payload
from prism_iac.agent.atls._request import AuthenticatorRequest
from prism_iac.agent.atls._stream import TlsStream
from prism_iac.agent.atls._wire import FrameType
from prism_iac.attestation import (
    Check,
    EvidenceRefused,
    Nonce,
    Outcome,
    Token,
    VmEvidence,
    verify_evidence,
)
from prism_iac.errors import InvalidInput
from prism_iac.pki import load_certificates

__all__ = ["check_certified", "demand_proof"]


def demand_proof(stream: TlsStream, required: RequiredEvidence, *, context: bytes, now: datetime) -> None:
    """Have the agent at the far end prove itself; returns only when it did.

    Args:
        stream: Connected; nothing was sent after the handshake.
        required: What it must prove.
        context: Random bytes, for this connection alone.
        now: The time, aware.

    Raises:
        EvidenceRefused: It did not; with all checks.
        InvalidInput: The policy or the roots cannot be used.
        SSL.Error: The connection broke. Or StreamEnded.
    """
    request = AuthenticatorRequest(context).to_bytes()
    stream.send_frame(FrameType.REQUEST, request)
    try:
        answer = Authenticator.parse(stream.receive_frame(FrameType.AUTHENTICATOR))
    except ValueError as error:
        raise EvidenceRefused([_unreadable("authenticator", error)]) from error
    channel = stream.channel()
    checks = [*answer.checks(request, context, channel)]
    if answer.payload is None:
        raise EvidenceRefused([*checks, Check("evidence", Outcome.FAIL, "in the handshake", "none")])
    try:
        payload = Payload.parse(answer.payload)
    except ValueError as error:
        raise EvidenceRefused([*checks, _unreadable("evidence", error)]) from error
    binding = Binding.of(channel, answer.key_der, context)
    checks += payload.checks(binding)
    checks += _appraise_token(required, payload.evidence, binding.nonce, now)
    if any(check.outcome is Outcome.FAIL for check in checks):
        raise EvidenceRefused(checks)


def check_certified(stream: TlsStream, required: RequiredEvidence, *, nonce: bytes, now: datetime) -> None:
    """That the certificate of a handshake brings evidence for it, as agents of the older generation do.

    Args:
        stream: Connected.
        required: What the agent must prove.
        nonce: What was in the name that the handshake asked for, for this connection alone.
        now: The time, aware.

    Raises:
        EvidenceRefused: It does not; with all checks.
        InvalidInput: The policy or the roots cannot be used.
    """
    try:
        certificate = load_certificates(stream.peer_certificate())[0]
        evidence = evidence_in(certificate)
    except (ValueError, InvalidInput) as error:
        raise EvidenceRefused([_unreadable("certificate", error)]) from error
    if evidence is None:
        raise EvidenceRefused([Check("evidence", Outcome.FAIL, "in the certificate", "none")])
    checks = [*_appraise(required, evidence, nonce_for(key_der_of(certificate), nonce), now)]
    if any(check.outcome is Outcome.FAIL for check in checks):
        raise EvidenceRefused(checks)


def _appraise_token(required: RequiredEvidence, data: bytes, nonce: Nonce, now: datetime) -> Iterator[Check]:
    try:
        token = Token.parse(data)
    except InvalidInput as error:
        yield _unreadable("evidence", error)
        return
    yield Check(
        "token's nonce",
        Outcome.PASS if token.nonce == nonce.tpm else Outcome.FAIL,
        nonce.tpm.hex(),
        token.nonce.hex() or "none",
    )
    yield from _appraise(required, data, nonce, now)


def _appraise(required: RequiredEvidence, data: bytes, nonce: Nonce, now: datetime) -> Iterator[Check]:
    try:
        evidence = VmEvidence.parse(data)
    except InvalidInput as error:
        yield _unreadable("evidence", error)
        return
    try:
        result = verify_evidence(
            evidence,
            required.policy,
            now=now,
            nonce=nonce,
            roots=required.roots,
            collateral=required.collateral,
        )
    except EvidenceRefused as error:
        yield from error.checks
    else:
        yield from result.checks


def _unreadable(claim: str, error: ValueError | InvalidInput) -> Check:
    found = error.findings[0].message if isinstance(error, InvalidInput) else str(error)
    return Check(claim, Outcome.FAIL, "as the protocol says", found)
