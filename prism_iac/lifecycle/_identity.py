"""The identity that a live object is created under.

An identity is `<12 hexadecimal characters>.<generation>`. The first part comes from the URN, so it is the
same on every machine and in every run; the generation counts replacements, so that the new object of a
replacement is never taken for the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_iac.model import mark_of

__all__ = ["Generations", "name_suffix", "up_to"]


def name_suffix(identity: str) -> str:
    """The suffix of an automatic name, 7 hexadecimal characters."""
    return mark_of(identity)[:7]


def up_to(identity: str) -> tuple[str, ...]:
    """An identity and those of the generations before it, latest first."""
    stem, generation = _parts(identity)
    return tuple(f"{stem}.{number}" for number in range(generation, -1, -1))


class Generations:
    """Counts the generations of identities within one deployment.

    The engine checks a resource against its old inputs first; when it replaces it, it checks again
    without them. So a check without old inputs that follows one with them begins a new generation. When a
    user asks for a replacement, the first of the two checks is left out, and the create may have to take
    a later identity than the one in its inputs: `unused` gives it, and outputs in state tell of it.
    """

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}
        self._latest: dict[str, int] = {}
        self._retired: dict[str, int] = {}

    def identity(self, base: str, old_inputs: Mapping[str, Any]) -> str:
        """The identity to use for a check.

        Args:
            base: The part that comes from the URN.
            old_inputs: The inputs in state; empty for a create and for the new object of a replacement.
        """
        kept = old_inputs.get("identity")
        if isinstance(kept, str) and kept:
            self._kept[base] = kept
            self.note(kept)
            return kept
        replaced = self._kept.get(base)
        return f"{base}.0" if replaced is None else self._next(replaced)

    def note(self, identity: str) -> None:
        """Take note of the identity that a recorded object was created under."""
        stem, generation = _parts(identity)
        self._latest[stem] = max(generation, self._latest.get(stem, 0))

    def retire(self, identity: str) -> None:
        """Take note that the object of an identity was deleted and could still be found by it."""
        self.note(identity)
        stem, generation = _parts(identity)
        self._retired[stem] = max(generation, self._retired.get(stem, 0))

    def unused(self, identity: str) -> str:
        """The identity to create under: the given one, or a later one where that is retired."""
        stem, generation = _parts(identity)
        return self._next(identity) if generation <= self._retired.get(stem, -1) else identity

    def _next(self, identity: str) -> str:
        stem, _ = _parts(identity)
        return f"{stem}.{self._latest[stem] + 1}"


def _parts(identity: str) -> tuple[str, int]:
    stem, _, generation = identity.rpartition(".")
    return stem, int(generation)
