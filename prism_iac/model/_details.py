"""What an event of a run tells besides its kind: JSON of our agents, anything of others'."""

from __future__ import annotations

from typing import Any

from prism_iac._json import json_object

__all__ = ["details_of"]


def details_of(details: bytes) -> dict[str, Any]:
    """The details of an event; empty where they are no JSON object."""
    return json_object(details) or {}
