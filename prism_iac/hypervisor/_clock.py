"""The time of this machine, where nobody says another."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["system_time"]


def system_time() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)
