"""Whose signatures a record has, and whether they are enough."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from prism_iac.errors import InvalidInput
from prism_iac.pki import parse_public_key
from prism_iac.spec._stack import Stack
from prism_iac.spec.promotions._records import Record, broken
from prism_iac.spec.promotions._statement import PLATFORM, Terms

__all__ = ["Approvals", "approvals_of", "terms_of"]


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who has approved a record.

    Attributes:
        by: The approvers, in the order of signing; never the promoter.
        required: How many it takes.
    """

    by: tuple[str, ...]
    required: int

    @property
    def are_reached(self) -> bool:
        """Whether they are enough."""
        return len(self.by) >= self.required


def terms_of(stack: Stack) -> Terms:
    """The terms that a stack file states now."""
    keys = {
        participant.name: participant.public_key
        for participant in stack.participants.values()
        if participant.public_key is not None
    }
    promotion = stack.promotion
    if promotion is not None and promotion.platform_key is not None:
        keys[PLATFORM] = promotion.platform_key
    return Terms(
        keys={
            name: base64.b64encode(parse_public_key(pem.encode())).decode("ascii")
            for name, pem in keys.items()
        },
        approvals=promotion.approvals if promotion else 0,
        approvers=tuple(approver.name for approver in promotion.approvers) if promotion else (),
    )


def approvals_of(record: Record, terms: Terms) -> Approvals:
    """Verify every signature of a record, and tell who approves it on some terms.

    Raises:
        VerificationFailure: A signature does not hold, is by somebody else's key, or the promoter's is missing.
    """
    names = _names_by_key(terms.keys)
    try:
        signers = [names[key] for key in record.envelope.verify(tuple(names))]
    except InvalidInput as error:
        raise broken(record.path, error.findings[0].message) from error
    promoter = record.promotion.promoted_by
    if promoter not in signers:
        raise broken(record.path, f"it is not signed by {promoter}, who promoted it")
    return Approvals(
        by=tuple(name for name in signers if name in terms.approvers and name != promoter),
        required=terms.approvals,
    )


def _names_by_key(keys: Mapping[str, str]) -> dict[bytes, str]:
    """Who signs with a key; where two have the same, the first of them, who counts once."""
    names: dict[bytes, str] = {}
    for name, key in keys.items():
        names.setdefault(base64.b64decode(key), name)
    return names
