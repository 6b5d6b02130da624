"""Participants: one entry for each user, each with a key that an agent accepts."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Location, Refusal
from prism_iac.pki import parse_public_key
from prism_iac.spec._draft import Draft

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
            yield from _public_key(draft, ("participants", name, "public_key"), participant.public_key)


def _public_key(draft: Draft, location: Location, as_written: str) -> Iterator[Finding]:
    try:
        parse_public_key(draft.inputs.read_key_file(draft.path(location, as_written), as_written=as_written))
    except Refusal as refusal:
        yield draft.refused(location, refusal)
    except InvalidInput as error:
        for finding in error.findings:
            yield draft.finding(location, finding.message, finding.fix)
