"""What an event of a run tells besides its kind: JSON of our agents, anything of others'."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["details_of"]


def details_of(details: bytes) -> dict[str, Any]:
    """The details of an event; empty where they are no JSON object."""
    try:
        found = json.loads(details)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
