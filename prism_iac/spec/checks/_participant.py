"""Participants: one entry for each user, each with a key that an agent accepts."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding
from prism_iac.spec._draft import Draft
from prism_iac.spec.checks._public_key import check_public_key

__all__ = ["check_participants"]


def check_participants(draft: Draft) -> Iterator[Finding]:
    """Users that stand twice, and public keys that are none."""
    first_with: dict[str, str] = {}
    for name, participant in draft.participants.items():
        other = first_with.setdefault(participant.user, name)
        if other != name:
            yield draft.finding(
                ("participants", name, "user"),
                f'"{other}" is the same user',
                "Keep one entry; one participant can provide and consume alike.",
            )
        if participant.public_key is not None:
            yield from check_public_key(draft, ("participants", name, "public_key"), participant.public_key)
