"""Findings of a file of any length, of which the first are kept and all are counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prism_iac.errors import Finding, InvalidInput

__all__ = ["Collected"]

_KEPT: Final = 1000


class Collected:
    """What was found until now."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.count = 0

    def add(self, findings: Iterable[Finding]) -> None:
        """Take note of findings."""
        for finding in findings:
            self.count += 1
            if len(self.kept) < _KEPT:
                self.kept.append(finding)

    def require_none(self) -> None:
        """Go on only where there is none.

        Raises:
            InvalidInput: With those that are kept, and how many more there are.
        """
        if not self.count:
            return
        more = self.count - len(self.kept)
        last = [Finding("\U0010ffff", message=f"{more} more findings are not shown")] if more else []
        raise InvalidInput([*self.kept, *last])
