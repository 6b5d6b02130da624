"""What a VM proves of itself at a read: fresh evidence where its agent answers, held against its policy."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac.agent import AgentFailed, AgentRefused, AgentUnreachable, fetch_evidence
from prism_iac.attestation import (
    Check,
    EvidenceRefused,
    Facts,
    Nonce,
    Outcome,
    PolicyDocument,
    VmEvidence,
    facts_of,
    verify_evidence,
)
from prism_iac.errors import InvalidInput

__all__ = ["Shown", "appraise", "ask_agent", "claims_of"]

_NONCE_BYTES: Final = 32
_PATIENCE_SECONDS: Final = 10.0
_NONCE_CLAIM: Final = "report data"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a read shows of a VM; the same VM shows the same each time.

    Attributes:
        measurement: Hexadecimal; None when there is no evidence.
        reported_tcb: Part by part; None when there is no evidence.
        attestation: How the evidence was appraised; None where there is no agent to ask.
    """

    measurement: str | None = None
    reported_tcb: str | None = None
    attestation: str | None = None


def ask_agent(place: Path | str, policy: str | None, *, roots: bytes | None, now: datetime) -> Shown:
    """What an agent shows for a nonce of this moment.

    Args:
        place: Where it gives evidence: the path of a socket, or `host:port`.
        policy: What the VM must meet, JSON; None when nothing is known of it yet.
        roots: The trust anchors, PEM; the pinned set when there are none.
        now: The time, aware.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    try:
        evidence = fetch_evidence(place, nonce=nonce, timeout_seconds=_PATIENCE_SECONDS)
    except AgentUnreachable:
        return Shown(attestation="failed: the agent does not answer")
    except (AgentRefused, AgentFailed) as error:
        return Shown(attestation=f"failed: {error.message}")
    return appraise(evidence, policy, nonce=Nonce.of(nonce), roots=roots, now=now)


def appraise(data: bytes, policy: str | None, *, nonce: Nonce, roots: bytes | None, now: datetime) -> Shown:
    """Evidence held against a policy; arguments as in `ask_agent`, and the nonce that was sent."""
    try:
        evidence = VmEvidence.parse(data)
        shown = _claims(facts_of(evidence))
    except InvalidInput as error:
        return Shown(attestation=f"failed: {error.message}")
    if policy is None:
        return Shown(*shown, "failed: there is no policy to hold it against")
    try:
        result = verify_evidence(
            evidence, PolicyDocument.parse(policy.encode()), now=now, nonce=nonce, roots=roots
        )
    except EvidenceRefused as refusal:
        return Shown(*shown, "; ".join(("refused", *_words(refusal.checks, Outcome.FAIL))))
    except InvalidInput as error:
        return Shown(*shown, f"failed: {error.message}")
    return Shown(*shown, "; ".join(("accepted", *_words(result.checks, Outcome.WARN))))


def claims_of(report: bytes) -> Shown:
    """What evidence claims that was shown to Prism once; nobody proves it now, so it is not appraised."""
    try:
        return Shown(*_claims(facts_of(VmEvidence.parse(report))))
    except InvalidInput:
        return Shown()


def _claims(facts: Facts) -> tuple[str | None, str | None]:
    if report := facts.get("report"):
        return report["measurement"], report["reported_tcb"]
    quote = facts.get("quote", {})
    return quote.get("mr_td"), quote.get("tee_tcb_svn")


def _words(checks: tuple[Check, ...], outcome: Outcome) -> Iterator[str]:
    for check in checks:
        if check.outcome is outcome:
            # A nonce is another each time, and would look like a change.
            is_nonce = check.claim == _NONCE_CLAIM
            yield f"{check.claim} is {'another' if is_nonce else f'{check.found}, not {check.expected}'}"
