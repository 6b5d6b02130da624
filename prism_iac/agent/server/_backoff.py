"""How long to wait before the control stream is dialled again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["Backoff"]

_GROWTH: Final = 2.0


class Backoff:
    """Delays that double from a first to a longest one; the upper half of each is left to chance.

    Args:
        chance: Gives a number in [0, 1), so that many agents do not come back at the same moment.
        first_seconds: The first delay.
        longest_seconds: The longest delay.
    """

    def __init__(
        self, chance: Callable[[], float], *, first_seconds: float = 0.2, longest_seconds: float = 5.0
    ) -> None:
        self._chance = chance
        self._first = first_seconds
        self._next = first_seconds
        self.longest_seconds = longest_seconds

    def next_delay(self) -> float:
        """The seconds to wait this time."""
        delay = self._next
        self._next = min(delay * _GROWTH, self.longest_seconds)
        return delay * (1 + self._chance()) / 2

    def reset(self) -> None:
        """Begin again with the first delay: the peer was there."""
        self._next = self._first
