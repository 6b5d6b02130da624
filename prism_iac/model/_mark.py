"""The mark that a live object carries at the end of its description, made from its identity."""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = ["mark_of", "marked", "unmarked", "words_of"]

_MARK: Final = re.compile(r"\s*\[prism-iac:(?P<mark>[0-9a-f]{12})\]$")


def mark_of(identity: str) -> str:
    """The mark of an identity, 12 hexadecimal characters, as it stands in a description."""
    return hashlib.sha3_256(identity.encode()).hexdigest()[:12]


def marked(description: str, identity: str) -> str:
    """A description that ends with the mark of an identity."""
    return f"{description} [prism-iac:{mark_of(identity)}]"


def unmarked(description: str) -> tuple[str, str | None]:
    """A description without its mark, and the mark; None when it has none."""
    found = _MARK.search(description)
    return (description[: found.start()], found["mark"]) if found else (description, None)


def words_of(description: str) -> str:
    """A description without its mark; a dash where somebody has left nothing else, as no model takes an empty text."""
    return unmarked(description)[0].strip() or "-"
