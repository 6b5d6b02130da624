"""What the changes of a preview do to trust, looser first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final

from prism_iac.attestation.policy import Trust, is_enforced
from prism_iac.lifecycle import trust_changes
from prism_iac.model import contains_unknown
from prism_iac.model.resources import AttestationPolicy
from prism_iac.plan._plan import TrustShift
from prism_iac.plan._preview import Preview, Resource, plain

__all__ = ["trust_shifts"]

_ORDER: Final = (Trust.LOOSER, Trust.INCOMPARABLE, Trust.TIGHTER)


def trust_shifts(preview: Preview, names: Mapping[str, str], now: datetime) -> list[TrustShift]:
    """Every expectation of a policy that changes.

    Args:
        preview: What the engine would do.
        names: What people call a VM, by its id.
        now: The time; approvals end.
    """
    found = [
        shift
        for resource in preview.resources.values()
        if resource.is_ours and resource.kind == AttestationPolicy.kind
        for shift in _of_policy(resource, names, now)
    ]
    return sorted(found, key=lambda item: (_ORDER.index(item.trust), item.policy, item.field))


def _of_policy(resource: Resource, names: Mapping[str, str], now: datetime) -> Iterator[TrustShift]:
    if resource.old is None:
        return
    if resource.new is None:
        yield TrustShift(
            policy=resource.name, field="policy", trust=Trust.LOOSER, old="declared", new="nothing"
        )
        return
    old, new = plain(resource.old), plain(resource.new)
    if old == new:
        return
    if old.get("vm") is not None and old.get("vm") != new.get("vm") and new.get("vm") is not None:
        yield TrustShift(
            policy=resource.name,
            field="vm",
            trust=Trust.INCOMPARABLE,
            old=f"what {names.get(old['vm'], 'a VM')} says of itself",
            new="what another VM says of itself",
        )
    if contains_unknown([value for name, value in new.items() if name != "vm"]):
        return
    desired = AttestationPolicy.parse(new)
    approvals = {item.change: item for item in desired.approvals or ()}
    for change in trust_changes(AttestationPolicy.parse(old), desired):
        approval = approvals.get(change.field)
        counts = approval is not None and not is_enforced(date.fromisoformat(approval.until), now)
        yield TrustShift(
            policy=resource.name,
            field=change.field,
            trust=change.trust,
            old=change.old,
            new=change.new,
            approval=f"{approval.by} until {approval.until}: {approval.reason}"
            if approval and counts
            else "",
        )
