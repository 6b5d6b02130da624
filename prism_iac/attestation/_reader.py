"""Reads structures of bytes from the front; what is not there is the caller's to refuse."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

__all__ = ["ByteReader"]


class ByteReader:
    """Bytes and how far they are read.

    Args:
        data: The bytes.
        require: Refuses, with a message, what does not hold.
        cut_off: The message when there are fewer bytes than are wanted.
    """

    def __init__(self, data: bytes, require: Callable[[bool, str], None], cut_off: str) -> None:
        self._data = data
        self._require = require
        self._cut_off = cut_off
        self._position = 0

    def take(self, size: int) -> bytes:
        """So many bytes more."""
        begin, self._position = self._position, self._position + size
        self._require(self._position <= len(self._data), self._cut_off)
        return self._data[begin : self._position]

    def unpack(self, form: Struct) -> tuple[Any, ...]:
        """The values of a structure."""
        return form.unpack(self.take(form.size))

    def sized(self, size: Struct) -> bytes:
        """Bytes behind their number."""
        return self.take(*self.unpack(size))

    def rest(self) -> bytes:
        """What is left."""
        return self._data[self._position :]

    def end(self, message: str) -> None:
        """Refuse what is left."""
        self._require(self._position == len(self._data), message)
