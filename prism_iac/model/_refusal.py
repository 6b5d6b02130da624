"""A refused value, for validators: what is wrong with it, and what to write instead."""

from __future__ import annotations

__all__ = ["Refusal"]


class Refusal(ValueError):
    """What a validator raises; becomes a finding with a fix.

    Attributes:
        message: What is wrong, without the place.
        fix: What to write instead.
        field: For a validator of a whole document, the field to point at; empty points at the document.
    """

    def __init__(self, message: str, fix: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.field = field
