"""The identity that a live object is created under, and the mark it carries.

An identity is `<12 hexadecimal characters>.<generation>`. The first part comes from the URN, so it is the
same on every machine and in every run; the generation counts replacements, so that the new object of a
replacement is never taken for the old one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["Generations", "mark_of", "marked", "name_suffix", "unmarked"]

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


def name_suffix(identity: str) -> str:
    """The suffix of an automatic name, 7 hexadecimal characters."""
    return mark_of(identity)[:7]


class Generations:
    """Counts the generations of identities within one deployment.

    The engine checks a resource against its old inputs first; when it replaces it, it checks again
    without them. So a check without old inputs that follows one with them begins a new generation.
    """

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def identity(self, base: str, old_inputs: Mapping[str, Any]) -> str:
        """The identity to use for a check.

        Args:
            base: The part that comes from the URN.
            old_inputs: The inputs in state; empty for a create and for the new object of a replacement.
        """
        kept = old_inputs.get("identity")
        if isinstance(kept, str) and kept:
            self._seen[base] = kept
            return kept
        replaced = self._seen.get(base)
        if replaced is None:
            return f"{base}.0"
        stem, _, generation = replaced.rpartition(".")
        return f"{stem}.{int(generation) + 1}"
