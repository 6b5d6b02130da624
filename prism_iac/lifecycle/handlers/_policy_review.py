"""That a policy gets looser only when somebody has allowed it, where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from prism_iac.attestation.declared import declared_document
from prism_iac.attestation.policy import Trust, TrustChange, compare_trust, is_enforced
from prism_iac.errors import Finding
from prism_iac.model.resources import AttestationPolicy

__all__ = ["trust_changes", "unapproved_changes"]


def unapproved_changes(
    recorded: AttestationPolicy, desired: AttestationPolicy, *, now: datetime
) -> Iterator[Finding]:
    """A finding for each field that gets looser without an approval that counts now."""
    allowed = {item.change for item in desired.approvals or () if not _is_over(item.until, now)}
    over = {item.change: item for item in desired.approvals or () if _is_over(item.until, now)}
    for change in trust_changes(recorded, desired):
        if change.trust is Trust.LOOSER and change.field not in allowed:
            late = over.get(change.field)
            yield Finding(
                path=change.field,
                message=f"gets looser, from {change.old} to {change.new}"
                + (f", and its approval by {late.by} ended on {late.until}" if late else ""),
                fix="Take it back, or have it approved in the policy: "
                f"`approvals: [{{change: {change.field}, by: NAME, reason: WHY, until: DAY}}]`.",
            )


def trust_changes(recorded: AttestationPolicy, desired: AttestationPolicy) -> Iterator[TrustChange]:
    """What a change of a policy does to trust, field by field.

    A policy that a VM tells of itself is looser than a declared one, whatever it says; of two VMs neither is.

    Args:
        recorded: As it is; completed inputs.
        desired: As it shall be; nothing in it is unknown.
    """
    if recorded.requires_approval and not desired.requires_approval:
        yield TrustChange("requires_approval", Trust.LOOSER, "yes", "no")
    if recorded.vm is None and desired.vm is not None:
        yield TrustChange("source", Trust.LOOSER, "declared", "what a VM says of itself")
        return
    if recorded.signed_by is not None and desired.signed_by != recorded.signed_by:
        trust = Trust.LOOSER if desired.signed_by is None else Trust.INCOMPARABLE
        yield TrustChange("signed_by", trust, "a key", "no key" if desired.signed_by is None else "another")
    yield from compare_trust(declared_document(recorded), declared_document(desired))


def _is_over(until: str, now: datetime) -> bool:
    return is_enforced(date.fromisoformat(until), now)
