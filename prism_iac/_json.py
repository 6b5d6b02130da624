"""JSON that others wrote, or that lay where anybody may have written."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["json_object", "load_json"]


def load_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON, or is nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """The object that a JSON text is; None where it is anything else, or no JSON."""
    try:
        value = load_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
