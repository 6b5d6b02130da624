"""The kinds of field that bodies and records share."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

__all__ = [
    "ZERO_TIME",
    "Base64Bytes",
    "Body",
    "LongText",
    "Metadata",
    "Name",
    "OptionalText",
    "Record",
    "Time",
    "rfc3339",
]

ZERO_TIME: Final = "0001-01-01T00:00:00Z"
"""How an unset time is written (D6)."""


class Body(BaseModel):
    """What a request carries."""


class Record(BaseModel):
    """What an answer carries; its schema is built at the first use, which keeps the start short."""

    model_config = ConfigDict(defer_build=True)


def rfc3339(moment: datetime | None) -> str:
    """A moment in UTC, to the microsecond where it has any; `ZERO_TIME` for none."""
    if moment is None:
        return ZERO_TIME
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


Time = Annotated[
    datetime | None,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A moment in an answer; never null."""

_NO_NUL: Final = r"^[^\x00]*$"
_NOT_BLANK: Final = r"^[^\x00]*[^\x00\s][^\x00]*$"

Name = Annotated[str, Field(max_length=255, pattern=_NOT_BLANK)]
"""A short text with something in it."""

LongText = Annotated[str, Field(max_length=16_384, pattern=_NOT_BLANK)]
"""A text with something in it."""

OptionalText = Annotated[str, Field(max_length=65_536, pattern=_NO_NUL)]
"""A text that may be empty."""


_NUL_IN_JSON: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
LARGEST_METADATA_BYTES: Final = 65_536
DEEPEST_METADATA: Final = 16


def _is_small(value: dict[str, Any]) -> dict[str, Any]:
    level: list[Any] = [value]
    for _ in range(DEEPEST_METADATA + 1):
        level = [child for item in level for child in _children(item)]
    if level:
        raise ValueError(f"is nested more than {DEEPEST_METADATA} levels deep")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise ValueError("holds a number or a character that JSON has not") from error
    if len(text) > LARGEST_METADATA_BYTES:
        raise ValueError(f"has more than {LARGEST_METADATA_BYTES} bytes")
    if _NUL_IN_JSON.search(text):
        raise ValueError("holds a NUL character")
    return value


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


Metadata = Annotated[dict[str, Any], AfterValidator(_is_small)]
"""Any JSON object, as long as whoever lists many of them can take it."""


def _none_is_empty(value: Any) -> Any:
    return "" if value is None else value


def _is_base64(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("is not base64 of the standard alphabet") from error
    return value


Base64Bytes = Annotated[str, BeforeValidator(_none_is_empty), AfterValidator(_is_base64)]
"""Bytes as base64 with the standard alphabet, padded; null and the empty text are no bytes."""
