"""What a plain scalar means: the core schema of YAML 1.2.2, §10.3.2.

So `yes`, `on`, `1:30` and dates are texts, whatever older parsers make of them.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["parse_plain"]

_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMERIC_BEGINNINGS: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,100}")
_BASED: Final = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")


def parse_plain(text: str) -> bool | int | float | str | None:
    """The value that an unquoted scalar stands for; a text when it is nothing else."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_BEGINNINGS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
