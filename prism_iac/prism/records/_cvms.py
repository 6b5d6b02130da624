"""Confidential VMs and their certificates (prism-rest.md sections 3.5 and 3.6, D36 to D39, D42, D43)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from prism_iac.model import AgentState, LogLevel, VmStatus
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed
from prism_iac.prism.records._words import LEVEL_WORDS, parse_address

__all__ = [
    "CertificateFiles",
    "CertificateRecord",
    "CvmRecord",
    "CvmStatistic",
]

_VM_STATUS_WORDS: Final = {"running": VmStatus.ONLINE}
_AGENT_STATE_WORDS: Final = {"provisioned": AgentState.RECEIVING_MANIFEST}


@dataclass(frozen=True, slots=True)
class CvmRecord:
    """A confidential VM (section 3.5).

    Attributes:
        cvm_id: The id of the machine instance; paths take `id` (D38).
        agent_address: Where the agent listens, `host:port`; None until it is known.
        state: The agent's phase; None until it is connected.
        monthly_cost_estimate: An amount with its sign; None when nobody knows.
        attestation: The attestation report.
    """

    id: str
    cvm_id: str
    name: str
    agent_address: str | None
    status: VmStatus | None
    state: AgentState | None
    provider: str
    cc_platform: str
    vcpus: int | None
    agent_log_level: LogLevel | None
    monthly_cost_estimate: str | None
    attestation: bytes = field(repr=False)
    created_at: datetime | None
    deleted_at: datetime | None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a VM."""
        fields = Fields(document, "a CVM")
        cost = fields.text("monthly_cost_estimate")
        return cls(
            id=fields.identity("id"),
            cvm_id=fields.text("cvm_id"),
            name=fields.text("name"),
            agent_address=parse_address(fields.text("agent_url")),
            status=fields.choice(VmStatus, "status", aliases=_VM_STATUS_WORDS),
            state=fields.choice(AgentState, "state", aliases=_AGENT_STATE_WORDS),
            provider=fields.text("provider"),
            cc_platform=fields.text("cc_platform"),
            vcpus=fields.whole("vcpus"),
            agent_log_level=fields.choice(LogLevel, "agent_log_level", aliases=LEVEL_WORDS),
            monthly_cost_estimate=None if cost in ("", "$") else cost,
            attestation=fields.binary("attestation"),
            created_at=fields.time("created_at"),
            deleted_at=fields.time("deleted_at"),
        )

    @property
    def is_ready(self) -> bool:
        """Whether it takes a computation now (D36)."""
        return self.status is VmStatus.ONLINE and self.state is AgentState.RECEIVING_MANIFEST

    @property
    def is_gone(self) -> bool:
        """Whether it was removed; Prism keeps the record (D37)."""
        return self.status is VmStatus.INACTIVE or self.deleted_at is not None


@dataclass(frozen=True, slots=True)
class CvmStatistic:
    """Whether a VM was up at a moment (D24)."""

    timestamp: datetime | None
    is_up: bool

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read one observation."""
        fields = Fields(document, "a statistic")
        return cls(timestamp=fields.time("timestamp"), is_up=fields.flag("status"))


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate of a VM (section 3.6); its private key is read from a download only.

    Attributes:
        serial_number: Decimal digits.
        entity_id: The id of the VM.
        expiry_time: The moment of the revocation once it is revoked.
    """

    serial_number: str
    entity_id: str
    revoked: bool
    expiry_time: datetime | None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a certificate in snake case or in the old PascalCase (D42)."""
        fields = Fields(document, "a certificate")
        return cls(
            serial_number=fields.identity("serial_number", "SerialNumber"),
            entity_id=fields.text("entity_id", "EntityID"),
            revoked=fields.flag("revoked", "Revoked"),
            expiry_time=fields.time("expiry_time", "ExpiryDate"),
        )


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """What a download holds, as PEM text (D43)."""

    certificate_pem: str
    private_key_pem: str = field(repr=False)
    ca_pem: str

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a download; every value is base64 of PEM."""
        fields = Fields(document, "a certificate download")
        try:
            certificate, key, ca = (
                fields.binary(name).decode("ascii") for name in ("certificate", "private_key", "ca")
            )
        except UnicodeDecodeError as error:
            raise Malformed("a certificate download holds what is no PEM text") from error
        return cls(certificate, key, ca)
