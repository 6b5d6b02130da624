"""Reads JSON that a stranger may have written."""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["Malformed", "decode"]


class Malformed(ValueError):
    """A document is not what was agreed; the text says what and where, without values."""


def decode(data: bytes) -> Any:
    """The value of a JSON text (RFC 8259), read strictly.

    Raises:
        Malformed: The bytes are not UTF-8 or not JSON, an object repeats a key, a number is no JSON number,
            the nesting is too deep, or a text holds half a surrogate pair.
    """
    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except Malformed:
        raise
    except json.JSONDecodeError as error:
        raise Malformed(f"the JSON breaks off or is wrong at character {error.pos}") from error
    except UnicodeError as error:
        raise Malformed("the JSON holds what is no Unicode text") from error
    except (ValueError, RecursionError) as error:
        raise Malformed("the JSON holds a number or a nesting beyond all bounds") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise Malformed("the JSON holds an object with the same key twice")
    return document


def _refuse_constant(_: str) -> NoReturn:
    raise Malformed("the JSON holds a number that is none")
