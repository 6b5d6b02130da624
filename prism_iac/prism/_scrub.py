"""Makes foreign text safe to show: no secrets, no control characters, not too long."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

__all__ = ["shown"]

_MASK: Final = "***"
_LONGEST: Final = 400

_SECRET_SHAPES: Final = (
    re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    re.compile(r"(?<=\bbearer )\s*\S+", re.IGNORECASE),
)
"""Private keys, JSON Web Tokens, bearer tokens."""


def shown(text: str, *, secrets: Iterable[str] = ()) -> str:
    """A text as it may stand in a message.

    Args:
        text: What somebody else wrote.
        secrets: Values that must not be shown, besides everything that has the shape of one.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _MASK).replace(json.dumps(secret)[1:-1], _MASK)
    for shape in _SECRET_SHAPES:
        text = shape.sub(_MASK, text)
    text = "".join(character if character.isprintable() else " " for character in text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
