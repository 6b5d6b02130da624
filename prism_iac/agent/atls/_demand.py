"""The client's side: has an agent prove itself before the first byte of a call.

1. The request goes over the connection, with fresh random bytes in it.
2. The answer is an Exported Authenticator for this request, by the key of its certificate, on this connection.
3. It brings evidence, and says that it is bound to that key and this connection.
4. A token around the evidence answers the nonce that follows from this connection.
5. The evidence meets the policy, and holds what follows from that key and this connection.

All checks are told at once. The certificate of the authenticator need not be that of the handshake: the
evidence vouches for the first, a CA for the second, and both are proven on the same connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prism_iac.agent._required import RequiredEvidence
from prism_iac.agent.atls._authenticator import Authenticator
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
    VmEvidence,
    verify_evidence,
)
from prism_iac.errors import InvalidInput

__all__ = ["demand_proof"]


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
    checks += _appraise(required, payload.evidence, binding.nonce, now)
    if any(check.outcome is Outcome.FAIL for check in checks):
        raise EvidenceRefused(checks)


def _appraise(required: RequiredEvidence, data: bytes, nonce: Nonce, now: datetime) -> Iterator[Check]:
    try:
        evidence = VmEvidence.parse(data)
    except InvalidInput as error:
        yield _unreadable("evidence", error)
        return
    if evidence.token is None:
        yield Check("evidence", Outcome.FAIL, "a token", "evidence without one")
        return
    yield Check(
        "token's nonce",
        Outcome.PASS if evidence.token.nonce == nonce.tpm else Outcome.FAIL,
        nonce.tpm.hex(),
        evidence.token.nonce.hex() or "none",
    )
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
