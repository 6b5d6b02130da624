"""The value that a preview does not know yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["UNKNOWN", "Unknown", "contains_unknown"]


class Unknown:
    """The type of `UNKNOWN`; equal to nothing but itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def contains_unknown(value: Any) -> bool:
    """Whether a value, or anything inside its lists and mappings, is not known yet."""
    if isinstance(value, str):  # the most common by far, and the test for a mapping takes long
        return False
    if isinstance(value, Unknown):
        return True
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(contains_unknown(item) for item in value)
    return False
