"""Tells what happens while it happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

__all__ = ["follow"]

_PAUSE_SECONDS: Final = 0.5
_LATENESS: Final = timedelta(minutes=1)
"""How late an entry may come, by its own time: agents send what they kept during an outage."""


class _Entry(Hashable, Protocol):
    @property
    def timestamp(self) -> datetime | None: ...


E = TypeVar("E", bound=_Entry)


def follow(
    newest_first: Callable[[datetime | None], Iterable[E]],
    is_over: Callable[[], bool],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[E]:
    """Every entry of a growing list, oldest first and once, as it comes; ends when there will be no more.

    Args:
        newest_first: Reads the list from a moment on.
        is_over: Whether nothing more is added; one more look is taken after it says so.
        sleep: Waits for a number of seconds.
    """
    told: set[E] = set()
    newest: datetime | None = None
    while True:
        ends = is_over()
        since = newest - _LATENESS if newest else None
        fresh = [entry for entry in newest_first(since) if entry not in told]
        for entry in reversed(fresh):
            told.add(entry)
            newest = max(filter(None, (newest, entry.timestamp)), default=None)
            yield entry
        if ends:
            return
        sleep(_PAUSE_SECONDS)
