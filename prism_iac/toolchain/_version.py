"""Versions of the Pulumi CLI, and which of them serve."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["BELOW", "LEAST", "Version"]

_NUMBERS: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


class Version(NamedTuple):
    """A version of the CLI; what follows the three numbers (`-alpha.1`, `+dirty`) is left out."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """The version that a text such as `v3.259.0` begins with; None when it begins with none."""
        found = _NUMBERS.match(text.strip())
        return cls(*map(int, found.groups())) if found else None

    @property
    def serves(self) -> bool:
        """Whether the resources of this package run on it."""
        return LEAST <= self < BELOW

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


LEAST: Final = Version(3, 216, 0)
"""The first one that keeps the inputs which a dynamic resource reports when it is read: drift shows."""

BELOW: Final = Version(4, 0, 0)
