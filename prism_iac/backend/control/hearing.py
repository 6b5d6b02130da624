"""Hears what other replicas of an instance do that concerns agents who are connected here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from prism_iac.backend.store import Database, DatabaseAway, notices
from prism_iac.backend.store.notices import Notice

__all__ = ["hear_replicas"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.control")

_AGAIN_SECONDS: Final = 1.0


async def hear_replicas(database: Database, heed: Callable[[Notice], None]) -> None:
    """Heed what replicas tell, for ever; after each time that nobody listened, that anything may have changed."""
    while True:
        try:
            async for notice in notices.hear(database):
                heed(notice)
        except DatabaseAway:
            _log.warning("replicas are not heard: the database does not answer")
        await asyncio.sleep(_AGAIN_SECONDS)
