"""The layouts that an export may have."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Layout"]


class Layout(StrEnum):
    """How an export is laid out (D57, D58)."""

    BUNDLE = "bundle"
    FLAT = "flat"
    CSV = "csv"
    STACK = "stack"
