"""References to secrets: well written, and only where a secret belongs."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding
from prism_iac.model import Location
from prism_iac.model.stack import SECRET_FIELDS, mentions_secret, parse_secret
from prism_iac.spec._draft import Draft
from prism_iac.spec._tree import Node

__all__ = ["check_secrets"]


def check_secrets(draft: Draft) -> Iterator[Finding]:
    """References where everyone would read the secret, and such as name no source."""
    for location, text in _secrets(draft.root, ()):
        if location[:1] == ("templates",):
            continue  # looked at where it is used
        if location[:1] != ("certificates",) or location[2:] not in {
            ("files", field) for field in SECRET_FIELDS
        }:
            yield draft.finding(
                location,
                "no secret belongs here",
                f"It may stand for one of the `files` of certificates: {', '.join(SECRET_FIELDS)}.",
            )
        elif parse_secret(text) is None:
            yield draft.finding(
                location,
                "this names no source of a secret",
                "Write `${secret.config.NAME}` or `${secret.env.NAME}`, and nothing around it.",
            )


def _secrets(node: Node, location: Location) -> Iterator[tuple[Location, str]]:
    value = node.value
    if isinstance(value, str):
        if mentions_secret(value):
            yield location, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _secrets(entry.node, (*location, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _secrets(item, (*location, index))
