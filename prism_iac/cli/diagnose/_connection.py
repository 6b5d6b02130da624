"""Whether the agent of a run can be reached, and proves what it must."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Final

from prism_iac.cli._outcome import Outcome, fine, skipped
from prism_iac.cli.diagnose._subject import Subject
from prism_iac.errors import InvalidInput

__all__ = ["check_agent", "check_evidence"]

_PATIENCE_SECONDS: Final = 3.0
_NONCE_BYTES: Final = 32
"""Agents with attested TLS answer none that is longer."""


def check_agent(subject: Subject) -> Outcome:
    """Whether the agent answers at its address, with the certificate that it must have."""
    if subject.current_run is None:
        return skipped("no run is going on: agents open their port for a run")
    # A policy belongs to a handshake in the attested modes alone; elsewhere evidence is fetched over it.
    is_attested = subject.tls_mode is not None and subject.tls_mode.is_attested
    agent = subject.agent if is_attested else replace(subject.agent, attestation_policy=None)
    try:
        with agent.connected(subject.prism, patience_seconds=_PATIENCE_SECONDS):
            return fine(f"{subject.current_run.agent_address}, mode {subject.tls_mode}")
    except InvalidInput as error:
        return skipped("; ".join(f"{finding.path}: {finding.message}" for finding in error.findings))


def check_evidence(subject: Subject) -> Outcome:
    """Whether the VM proves what the policy says."""
    from prism_iac.agent import EvidenceType
    from prism_iac.attestation import Nonce, VmEvidence, verify_evidence
    from prism_iac.attestation.policy import PolicyFile

    if subject.agent.attestation_policy is None:
        return skipped("no policy is given: say --policy FILE")
    if subject.tls_mode is not None and subject.tls_mode.is_attested:
        return fine("it meets the policy: the handshake proved it")
    policy = PolicyFile.parse(subject.agent.attestation_policy.read_bytes()).document
    sent = secrets.token_bytes(_NONCE_BYTES)
    kind = EvidenceType.TDX if subject.vm and subject.vm.cc_platform == "tdx" else EvidenceType.SNP
    plain = replace(subject.agent, attestation_policy=None)
    with plain.connected(subject.prism, patience_seconds=_PATIENCE_SECONDS) as client:
        evidence = client.fetch_attestation(tee_nonce=sent, vtpm_nonce=sent, evidence_type=kind)
    roots = subject.agent.roots.read_bytes() if subject.agent.roots else None
    result = verify_evidence(
        VmEvidence.parse(evidence), policy, now=subject.now, nonce=Nonce.of(sent, None), roots=roots
    )
    return fine(f"it meets the policy{', on a SIMULATED platform' if result.is_simulated else ''}")
