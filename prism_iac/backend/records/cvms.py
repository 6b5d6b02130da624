"""Confidential VMs (prism-rest.md section 3.5)."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from prism_iac.backend.records.computations import LogLevelText
from prism_iac.backend.records.fields import Body, Name, Record, Time
from prism_iac.backend.store.cvms import Cvm, CvmPresence
from prism_iac.model import LogLevel

__all__ = [
    "AttestationPolicyRecord",
    "CvmBody",
    "CvmPage",
    "CvmPresenceRecord",
    "CvmRecord",
    "CvmStatistics",
    "Provider",
    "VcpuCount",
    "cvm_record",
    "presence_record",
]


def _canonical_provider(value: Any) -> Any:
    text = value.strip().lower() if isinstance(value, str) else value
    return "ultraviolet" if text == "manager" else text


Provider = Annotated[Literal["azure", "gcp", "external", "ultraviolet"], BeforeValidator(_canonical_provider)]
"""Who makes the CVM; `manager` is `ultraviolet` (D33)."""

VcpuCount = Annotated[int, Field(ge=1, le=4096)]

_UNKNOWN_COST: Final = "$"


class CvmBody(Body):
    """A new CVM, besides what stands in the path."""

    name: Name
    agent_log_level: LogLevelText = LogLevel.INFO


class CvmRecord(Record):
    """A CVM; `attestation` and `attestation_token` are base64."""

    id: str
    cvm_id: str
    name: str
    agent_url: str
    status: str
    state: str
    created_at: Time
    deleted_at: Time
    provider: str
    vcpus: int
    attestation: str
    attestation_token: str
    agent_log_level: str
    monthly_cost_estimate: str
    cc_platform: str


class CvmPage(Record):
    """Some CVMs."""

    cvms: list[CvmRecord]
    total: int
    limit: int
    offset: int


class CvmPresenceRecord(Record):
    """One change of a CVM: up (true) or down."""

    id: str
    cvm_id: str
    timestamp: Time
    status: bool


class CvmStatistics(Record):
    """When a CVM came up and went down."""

    cvm_stats: list[CvmPresenceRecord]


class AttestationPolicyRecord(Record):
    """A CVM's attestation policy file, base64."""

    attestation_policy: str


def cvm_record(cvm: Cvm, evidence: tuple[bytes, bytes]) -> CvmRecord:
    """The record of a CVM with its report and token."""
    report, token = evidence
    return CvmRecord(
        id=cvm.id,
        cvm_id=cvm.machine_id or cvm.id,
        name=cvm.name,
        agent_url=cvm.agent_url,
        status=cvm.status,
        state=cvm.state,
        created_at=cvm.created_at,
        deleted_at=cvm.deleted_at,
        provider=cvm.provider,
        vcpus=cvm.vcpus,
        attestation=base64.b64encode(report).decode(),
        attestation_token=base64.b64encode(token).decode(),
        agent_log_level=cvm.agent_log_level,
        monthly_cost_estimate=_UNKNOWN_COST,
        cc_platform=cvm.cc_platform,
    )


def presence_record(change: CvmPresence) -> CvmPresenceRecord:
    """The record of a change between up and down."""
    return CvmPresenceRecord(
        id=change.id, cvm_id=change.cvm_id, timestamp=change.timestamp, status=change.is_up
    )
