"""What an agent must prove of its VM before anything is sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prism_iac.attestation import Collateral, PolicyDocument

__all__ = ["EvidencePlace", "RequiredEvidence"]


class EvidencePlace(StrEnum):
    """Where an agent puts its evidence (cocos-grpc.md sections 9.1 and 9.2)."""

    CHANNEL = "channel"
    """Over the connection, after the handshake: agents from 0.9 on."""
    CERTIFICATE = "certificate"
    """Into the certificate of the handshake: agents of 0.8."""


@dataclass(frozen=True, slots=True)
class RequiredEvidence:
    """The evidence that attested TLS asks for.

    Attributes:
        policy: What the VM must be.
        roots: The trust anchors, PEM; the pinned ones of the makers of hardware when there are none.
        collateral: What is at hand besides the evidence.
        place: Where it is; agents of this package know both.
    """

    policy: PolicyDocument
    roots: bytes | None = None
    collateral: Collateral | None = None
    place: EvidencePlace = EvidencePlace.CHANNEL
