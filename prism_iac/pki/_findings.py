"""The form in which this room refuses input."""

from __future__ import annotations

from prism_iac.errors import Finding, InvalidInput

__all__ = ["invalid"]


def invalid(message: str, fix: str) -> InvalidInput:
    """An error with one finding."""
    return InvalidInput([Finding(message=message, fix=fix)])
