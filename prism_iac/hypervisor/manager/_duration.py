"""Durations as Go writes them: `1h30m`, `1.5s`, `90s`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

__all__ = ["parse_go_duration"]

_MICRO: Final = ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")
_UNITS: Final = {
    "ns": 1e-9,
    **{f"{micro}s": 1e-6 for micro in _MICRO},
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART: Final = re.compile(rf"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)({'|'.join(_UNITS)})")
_LONGEST_TEXT: Final = 100
"""Go takes any; the search for parts takes time with the square of it."""

_LONGEST_SECONDS: Final = (1 << 63) / 1e9


def parse_go_duration(text: str) -> timedelta:
    """Read a time that is to come.

    Raises:
        ValueError: In Go's words; what is not above zero is refused as well.
    """
    parts = _PART.findall(text[:_LONGEST_TEXT])
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if (
        "".join(number + unit for number, unit in parts) != text.removeprefix("+")
        or not 0 < seconds < _LONGEST_SECONDS
    ):
        raise ValueError(f'time: invalid duration "{text}"')
    return timedelta(seconds=seconds)
