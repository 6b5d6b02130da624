"""Where the agent's evidence comes from.

Source: cocos-grpc.md sections 5.3 (at the connection) and 8.1 (on a participant's call).
"""

from __future__ import annotations

from typing import Protocol

from prism_iac.agent._protocol import EvidenceType, Refusal
from prism_iac.agent.server._refused import Refused
from prism_iac.agent.server._settings import Settings

__all__ = ["EvidenceSource", "NoPlatform", "open_platform"]


class EvidenceSource(Protocol):
    """Signs statements about this VM."""

    def produce(self, evidence_type: EvidenceType, report_data: bytes) -> bytes:
        """Evidence that holds 64 bytes of report data; empty when the VM has no platform.

        Raises:
            Refused: The platform gives no evidence of this type.
        """


class NoPlatform:
    """A VM without a trusted execution environment."""

    def produce(self, evidence_type: EvidenceType, report_data: bytes) -> bytes:
        """Refuse.

        Raises:
            Refused: Always.
        """
        del evidence_type, report_data
        raise Refused(f"{Refusal.NO_EVIDENCE} : this VM has no trusted execution environment")


def open_platform(settings: Settings) -> EvidenceSource:
    """The evidence source that the settings name."""
    del settings
    return NoPlatform()
