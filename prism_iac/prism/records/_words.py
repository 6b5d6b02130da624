"""Spellings that several records share (prism-rest.md D13, D29, D39)."""

from __future__ import annotations

from typing import Final

from prism_iac.model import ComputationStatus, LogLevel

__all__ = ["LEVEL_WORDS", "STATUS_WORDS", "parse_address"]

STATUS_WORDS: Final = {
    "canceled": ComputationStatus.CANCELLED,
    "stopped": ComputationStatus.CANCELLED,
    "in progress": ComputationStatus.RUNNING,
}
"""Other words for the states of a computation."""

LEVEL_WORDS: Final = {"warning": LogLevel.WARN}
"""Other words for log levels."""


def parse_address(url: str) -> str | None:
    """`host:port` of an agent's URL; None when it is not known (D39)."""
    address = url.rpartition("://")[2].strip().strip("/")
    return None if address in ("", ":") else address
