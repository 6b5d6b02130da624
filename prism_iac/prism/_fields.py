"""Reads single fields of a JSON object in every spelling that the contract hints at.

Source: prism-rest.md section 6, rule of thumb, and D6, D8, D13, D39, D42.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from prism_iac.prism._json import Malformed

__all__ = ["Fields"]

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_TIME: Final = re.compile(
    r"(?P<stem>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:)(?P<second>\d\d)(?P<fraction>\.\d+)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_LEAP_SECOND: Final = 60


class Fields:
    """The fields of one JSON object; unknown ones are ignored, null counts as absent.

    A field with several names is taken from the first of them that is there. Every method raises
    `Malformed` when a value has a type that no source hints at.

    Args:
        document: A decoded JSON value.
        what: What the object is, for messages.
    """

    __slots__ = ("_document", "_what")

    def __init__(self, document: object, what: str) -> None:
        if not isinstance(document, Mapping):
            raise Malformed(f"{what} is not a JSON object")
        self._document: Mapping[str, Any] = document
        self._what = what

    def raw(self, *names: str) -> Any:
        """The first value that is there, as it is; None when there is none."""
        return next((value for name in names if (value := self._document.get(name)) is not None), None)

    def text(self, *names: str) -> str:
        """A text; empty when absent."""
        value = self.raw(*names)
        if value is not None and not isinstance(value, str):
            raise self._wrong(names, "a text")
        return value or ""

    def optional_text(self, *names: str) -> str | None:
        """A text; None when absent or empty."""
        return self.text(*names) or None

    def identity(self, *names: str) -> str:
        """A text that must be there; a whole number is taken as its digits."""
        value = self.raw(*names)
        text = str(value) if _is_whole(value) else value
        if not isinstance(text, str) or not text:
            raise self._wrong(names, "an id")
        return text

    def whole(self, *names: str) -> int | None:
        """A whole number; `4.0` is 4."""
        value = self.raw(*names)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is not None and not _is_whole(value):
            raise self._wrong(names, "a whole number")
        return None if value is None else int(value)

    def flag(self, *names: str) -> bool:
        """True or false; false when absent."""
        value = self.raw(*names)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(names, "true or false")
        return bool(value)

    def time(self, *names: str) -> datetime | None:
        """A moment, aware UTC; None when absent or the zero time (D6)."""
        text = self.text(*names)
        try:
            return _moment(text) if text else None
        except (ValueError, OverflowError) as error:
            raise self._wrong(names, "an RFC 3339 time") from error

    def choice(self, enum: type[E], *names: str, aliases: Mapping[str, E] | None = None) -> E | None:
        """A word of a closed set in any case; None when absent or a word that is not known here."""
        word = self.text(*names).strip().lower()
        found = (aliases or {}).get(word)
        return found or next((member for member in enum if member.value.lower() == word), None)

    def binary(self, *names: str) -> bytes:
        """Bytes in standard base64; empty when absent."""
        try:
            return base64.b64decode(self.text(*names), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._wrong(names, "base64") from error

    def texts(self, *names: str) -> tuple[str, ...]:
        """A list of texts; null is an empty one."""
        return self.items(_text_item, *names)

    def items(self, parse: Callable[[object], T], *names: str) -> tuple[T, ...]:
        """A list, each item parsed; null is an empty one."""
        value = self.raw(*names)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self._wrong(names, "a list")
        return tuple(parse(item) for item in value)

    def nested(self, parse: Callable[[object], T], *names: str) -> T | None:
        """An object within the object; None when absent."""
        value = self.raw(*names)
        return None if value is None else parse(value)

    def _wrong(self, names: tuple[str, ...], wanted: str) -> Malformed:
        return Malformed(f'the field "{names[0]}" of {self._what} is not {wanted}')


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text_item(value: object) -> str:
    if not isinstance(value, str):
        raise Malformed("a list of texts holds something else")
    return value


def _moment(text: str) -> datetime | None:
    """RFC 3339 with up to nine decimals; a leap second is the first moment of the next minute."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError
    second = int(match["second"])
    leap = timedelta(seconds=1) if second == _LEAP_SECOND else timedelta()
    fraction = (match["fraction"] or ".0")[:7]
    offset = (match["offset"] or "Z").upper()
    moment = datetime.fromisoformat(f"{match['stem']}{second - leap.seconds:02}{fraction}{offset}")
    return None if moment.year == 1 else (moment + leap).astimezone(UTC)
