"""Every target; the tests and the long run both walk this table."""

from __future__ import annotations

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import archives, documents, evidence, exchange, kept, pki, replies, wire

__all__ = ["TARGETS"]

TARGETS: Final[tuple[Target, ...]] = (
    *documents.TARGETS,
    *exchange.TARGETS,
    *pki.TARGETS,
    *evidence.TARGETS,
    *archives.TARGETS,
    *replies.TARGETS,
    *kept.TARGETS,
    *wire.TARGETS,
)
