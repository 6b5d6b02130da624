"""What a relying party learns from evidence that meets its policy.

Source: RFC 9334 §8.4 (attestation results).
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

from prism_iac.attestation._check import Check

__all__ = ["AttestationResult"]


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """That evidence meets a policy, and what that rests on; there is none for evidence that does not.

    Attributes:
        root: The root that the chain ended at.
        is_simulated: Whether there is no hardware behind it.
        checks: All of them, none of which failed; those that the policy does not ask for stand among them.
    """

    root: x509.Certificate
    is_simulated: bool
    checks: tuple[Check, ...]
