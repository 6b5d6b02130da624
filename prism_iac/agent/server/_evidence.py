"""What the VM can prove about itself, and to whom.

Source: cocos-grpc.md sections 5.3 (at the connection), 8.1 and 8.2 (on a participant's call), 9.1 (in a
connection).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from prism_iac.agent._protocol import EvidenceType, Refusal
from prism_iac.agent.atls import Attest
from prism_iac.agent.server._refused import Refused
from prism_iac.attestation import SimulatedGuest
from prism_iac.errors import Finding, InvalidInput

__all__ = ["attester_of", "evidence_for_participant", "load_guest"]


def load_guest(folder: Path | None) -> SimulatedGuest | None:
    """The guest whose platform lies in a folder; None when the VM has no platform.

    Raises:
        InvalidInput: A file is missing or damaged.
    """
    if folder is None:
        return None
    try:
        return SimulatedGuest.load(folder)
    except OSError as error:
        raise InvalidInput(
            [
                Finding(
                    path="AGENT_PLATFORM_DIR",
                    message=f"{error.filename} cannot be read: {error.strerror}",
                    fix="Name the folder that the hypervisor made for this VM.",
                )
            ]
        ) from error


def evidence_for_participant(
    guest: SimulatedGuest | None, evidence_type: EvidenceType, report_data: bytes
) -> bytes:
    """The SNP report, 1184 bytes, with the table of its certificates behind it.

    Args:
        guest: This VM.
        evidence_type: What is asked for.
        report_data: 64 bytes that the report is to hold.

    Raises:
        Refused: The VM has no platform, or one that gives no such evidence.
    """
    if guest is None:
        raise Refused(f"{Refusal.NO_EVIDENCE} : this VM has no trusted execution environment")
    if evidence_type is not EvidenceType.SNP:
        raise Refused(f"{Refusal.NO_EVIDENCE} : this VM gives evidence of the type SNP only")
    return guest.attest(report_data).to_bytes()


def attester_of(guest: SimulatedGuest | None, now: Callable[[], datetime]) -> Attest | None:
    """What gives evidence for attested connections; None when the VM has no platform.

    Args:
        guest: This VM.
        now: The time, aware.
    """
    return None if guest is None else lambda nonce: guest.token(nonce, now=now())
