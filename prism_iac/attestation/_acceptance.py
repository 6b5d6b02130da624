"""What a policy accepts besides its reference values, at a moment: other measurements, and what only warns yet.

The section `acceptance` of a policy file says it. A policy is settled before evidence is held against it: what is
left is a plain policy, so that there is one verifier for both.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from prism_iac.attestation._check import Check, Outcome
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._snp_policy import Acceptance
from prism_iac.attestation.snp._guest_policy import DEBUG
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import nearest

__all__ = ["WARNABLE", "Settled", "is_enforced", "settle", "warnings_among"]


def _nothing(_report: SnpReport) -> None:
    return None


def _octets(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_WAIVED: Final[Mapping[str, Callable[[SnpReport], Any]]] = {
    "measurement": lambda report: _octets(report.measurement),
    "host_data": lambda report: _octets(report.host_data),
    "family_id": _nothing,
    "image_id": _nothing,
    "report_id": _nothing,
    "report_id_ma": _nothing,
    "chip_id": _nothing,
    "vmpl": lambda report: report.vmpl,
    "policy": lambda report: str(report.policy & ~DEBUG),
    "platform_info": _nothing,
    "minimum_guest_svn": _nothing,
    "minimum_build": _nothing,
    "minimum_version": _nothing,
    "minimum_tcb": lambda report: str(report.reported_tcb.to_int()),
    "minimum_launch_tcb": _nothing,
}
"""What a field that only warns expects meanwhile: what the report says where something must be expected.

Product, nonce, signature, revocation, trusted keys and debugging by the host are always enforced.
"""

WARNABLE: Final = tuple(_WAIVED)
"""The fields of `policy` that may only warn for a while."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A policy for one report at one moment, without the section `acceptance`.

    Attributes:
        enforced: What the report must meet.
        wanted: The same with the fields that only warn; equal to `enforced` when none does.
    """

    enforced: PolicyDocument
    wanted: PolicyDocument


def is_enforced(until: date, now: datetime) -> bool:
    """Whether a field that warns until the end of a day, UTC, is enforced at a moment."""
    return now >= datetime.combine(until + timedelta(days=1), time(), UTC)


def settle(policy: PolicyDocument, report: SnpReport, *, now: datetime) -> Settled:
    """What a policy asks of a report at a moment.

    Raises:
        InvalidInput: The policy is not one for SEV-SNP, cannot be read, or lets a field warn that is always
            enforced.
    """
    expected = policy.snp_policy()
    acceptance = expected.acceptance
    if not acceptance.model_fields_set:
        return Settled(policy, policy)
    _require_warnable(acceptance)
    wanted: dict[str, Any] = {}
    if report.measurement in acceptance.measurements:
        wanted["measurement"] = _octets(report.measurement)
    waived = {
        field: _WAIVED[field](report)
        for field, until in acceptance.warn_until.items()
        if not is_enforced(until, now)
    }
    return Settled(_edited(policy, wanted | waived), _edited(policy, wanted))


def warnings_among(wanted: Iterable[Check]) -> tuple[Check, ...]:
    """The checks that failed and are not enforced yet, as warnings."""
    return tuple(
        Check(check.claim, Outcome.WARN, check.expected, check.found)
        for check in wanted
        if check.outcome is Outcome.FAIL
    )


def _require_warnable(acceptance: Acceptance) -> None:
    findings = [
        Finding(
            path=f"acceptance.warn_until.{field}",
            message="nothing of this name may only warn",
            fix=nearest(field, WARNABLE),
        )
        for field in acceptance.warn_until
        if field not in _WAIVED
    ]
    if findings:
        raise InvalidInput(findings)


def _edited(policy: PolicyDocument, fields: Mapping[str, Any]) -> PolicyDocument:
    return policy.with_fields("policy", fields).with_fields(
        "acceptance", dict.fromkeys(Acceptance.model_fields)
    )
