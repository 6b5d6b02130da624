"""What a refusal is answered with (D4, D18)."""

from __future__ import annotations

from prism_iac.backend.records.computations import MissingItems
from prism_iac.backend.records.fields import Record

__all__ = ["ErrorRecord", "NotRunnableRecord"]


class ErrorRecord(Record):
    """What happened, and the same with what to do next."""

    error: str
    message: str


class NotRunnableRecord(ErrorRecord):
    """What happened, and what a run lacks."""

    missing_items: MissingItems
