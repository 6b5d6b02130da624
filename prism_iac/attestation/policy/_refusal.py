"""That a policy cannot be read or written."""

from __future__ import annotations

from prism_iac.errors import Finding, InvalidInput

__all__ = ["refusal"]


def refusal(message: str, fix: str = "Make it again with `prism-iac policy create`.") -> InvalidInput:
    """One finding about a policy."""
    return InvalidInput([Finding(path="policy", message=message, fix=fix)])
