"""Promotion: who signs and approves must have a key here, and nobody approves twice."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding
from prism_iac.spec._draft import Draft
from prism_iac.spec.checks._public_key import check_public_key

__all__ = ["check_promotion"]


def check_promotion(draft: Draft) -> Iterator[Finding]:
    """Approvers without a key, two with the same, and a platform key that is none."""
    promotion = draft.header.promotion if draft.header else None
    if promotion is None:
        return
    if promotion.platform_key is not None:
        yield from check_public_key(draft, ("promotion", "platform_key"), promotion.platform_key)
    seen: set[str] = set()
    for index, name in enumerate(promotion.approvers):
        location = ("promotion", "approvers", index)
        approver = draft.participants.get(name)
        if name in seen:
            yield draft.finding(location, f'"{name}" stands here twice', "Keep one; each counts once.")
        elif approver is not None and approver.public_key is None:
            yield draft.finding(
                location,
                f'"{name}" has no public key, so no approval of theirs could be verified',
                "Name the file of the key as `public_key` of the participant.",
            )
        seen.add(name)
