"""When an instance that nobody asked to stay ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["EMPTY_SECONDS", "until_idle_and_empty"]

EMPTY_SECONDS: Final = 10.0
"""How long such an instance stays when nothing is left in it and nobody asks."""

_LOOKS: Final = 10


async def until_idle_and_empty(
    patience_seconds: float, *, requests: Callable[[], int], is_empty: Callable[[], bool]
) -> None:
    """Wait until nothing is kept and no request has come for a while.

    Args:
        patience_seconds: How long no request may have come.
        requests: How many have come so far.
        is_empty: Whether nothing is kept; asked in a thread of its own.
    """
    quiet_looks, seen = 0, requests()
    while True:
        await asyncio.sleep(patience_seconds / _LOOKS)
        before, seen = seen, requests()
        quiet_looks = quiet_looks + 1 if seen == before else 0
        if quiet_looks >= _LOOKS:
            if await asyncio.to_thread(is_empty) and requests() == seen:
                return
            quiet_looks = 0
