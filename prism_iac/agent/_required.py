"""What an agent must prove of its VM before anything is sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prism_iac.attestation import Collateral, PolicyDocument

__all__ = ["RequiredEvidence"]


@dataclass(frozen=True, slots=True)
class RequiredEvidence:
    """The evidence that attested TLS asks for.

    Attributes:
        policy: What the VM must be.
        roots: The trust anchors, PEM; the pinned ones of the makers of hardware when there are none.
        collateral: What is at hand besides the evidence.
    """

    policy: PolicyDocument
    roots: bytes | None = None
    collateral: Collateral | None = None
