"""Reads a JSON file element by element, in memory for one of them; each value's place can be told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TextIO

from prism_iac.errors import Finding
from prism_iac.exchange._row import Place, Row, parse_row
from prism_iac.model import Location, path_text

__all__ = ["read_json"]

_CHUNK_CHARACTERS: Final = 1 << 16
_LONGEST_ELEMENT: Final = 64 << 20
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_LONGEST_TOKEN: Final = 16
"""Longer than every token but a string, of which a part says that it is unterminated."""


class _Broken(ValueError):
    """The text is no JSON; the place is that of the scanner."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Broken(f'an object has the name "{twice}" twice')
    return document


def _no_constant(name: str) -> Any:
    raise _Broken(f"{name} is no JSON value")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
_PLAIN: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Element:
    """One value with its text and the place that the text begins at."""

    value: Any
    text: str
    line: int
    column: int


class _Scanner:
    """Walks through a text that is read piece by piece."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._is_whole = False
        self.line = 1
        self.column = 1

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._advance(space.end() if space else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Go past the next character."""
        self._advance(self._at + 1)

    def element(self) -> _Element:
        """The next value.

        Raises:
            _Broken: There is none.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                may_go_on = error.pos > len(self._text) - _LONGEST_TOKEN or "Unterminated" in error.msg
                if may_go_on and len(self._text) - self._at < _LONGEST_ELEMENT and self._more():
                    continue
                self._advance(min(error.pos, len(self._text)))
                raise _Broken(error.msg[:1].lower() + error.msg[1:]) from error
            except (RecursionError, ValueError) as error:
                raise _Broken(
                    str(error) if isinstance(error, _Broken) else "the value is too deep or too long"
                ) from error
            found = _Element(value, self._text[self._at : end], self.line, self.column)
            self._advance(end)
            return found

    def _more(self) -> bool:
        if self._is_whole:
            return False
        # As much again as is held, so that a long element is not decoded over and over.
        piece = self._file.read(max(_CHUNK_CHARACTERS, len(self._text) - self._at))
        self._text = self._text[self._at :] + piece
        self._at = 0
        self._is_whole = not piece
        return bool(piece)

    def _advance(self, end: int) -> None:
        self.line, self.column = _moved(self._text, self._at, end, (self.line, self.column))
        self._at = end


def _moved(text: str, start: int, end: int, place: Place) -> Place:
    lines = text.count("\n", start, end)
    if not lines:
        return place[0], place[1] + end - start
    return place[0] + lines, end - text.rindex("\n", start, end)


def read_json(file: TextIO, name: str) -> Iterator[Row]:
    """The rows of a JSON file: an array of either layout, or one object; errors end the walk.

    Args:
        file: Opened for text.
        name: What the user calls it.
    """
    scanner = _Scanner(file)
    try:
        for number, (index, element) in enumerate(_elements(scanner), 1):
            yield _row(number, index, element, name)
    except (_Broken, UnicodeDecodeError) as error:
        message = "is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"is no JSON: {error}"
        problem = Finding(
            name, scanner.line, scanner.column, "", message, "Correct it here; what follows is not read."
        )
        yield Row(0, None, (problem,), (), lambda *_: problem)


def _elements(scanner: _Scanner) -> Iterator[tuple[int | None, _Element]]:
    if scanner.peek() != "[":
        yield None, scanner.element()
    else:
        scanner.skip()
        index = 0
        while scanner.peek() != "]" or index:
            yield index, scanner.element()
            index += 1
            if scanner.peek() == "]":
                break
            if scanner.peek() != ",":
                raise _Broken("expecting a comma or the end of the array")
            scanner.skip()
        scanner.skip()
    if scanner.peek():
        raise _Broken("something follows the end")


def _row(number: int, index: int | None, element: _Element, name: str) -> Row:
    def where(location: Location, *, at_name: bool) -> Place:
        end = _offset(element.text, location, at_name=at_name)
        return _moved(element.text, 0, end, (element.line, element.column))

    prefix: Location = () if index is None else (index,)
    return parse_row(
        number,
        element.value,
        file=name,
        where=where,
        path_of=lambda location: path_text((*prefix, *location)),
    )


def _offset(text: str, location: Location, *, at_name: bool) -> int:
    """Where a field begins in the text of a value; where the nearest thing around it does when it is absent."""
    at = 0
    for depth, part in enumerate(location):
        found = _member(text, at, part)
        if found is None:
            return at
        name, value = found
        if at_name and depth == len(location) - 1:
            return name
        at = value
    return at


def _member(text: str, at: int, part: int | str) -> tuple[int, int] | None:
    """Where the name and the value of a member of an object or array begin."""
    if text[at] not in "{[":
        return None
    at = _past_space(text, at + 1)
    index = 0
    while text[at] not in "}]":
        name_at, name = at, index
        if isinstance(part, str):
            name, at = _PLAIN.raw_decode(text, at)
            at = _past_space(text, _past_space(text, at) + 1)
        if name == part or (isinstance(part, str) and str(name).lower() == part.lower()):
            return name_at, at
        _, at = _PLAIN.raw_decode(text, at)
        at = _past_space(text, at)
        if text[at] == ",":
            at = _past_space(text, at + 1)
        index += 1
    return None


def _past_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
