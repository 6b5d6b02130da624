"""The wire format of Protocol Buffers, for the few messages that evidence travels in.

Source: protobuf.dev, "Encoding": a message is a row of fields, each with a number, a type and a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["Message", "encode_message"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BITS: Final = 70
_U64: Final = (1 << 64) - 1


class Message:
    """The fields of a message by their number; a field that stands there twice keeps both values."""

    def __init__(self, data: bytes) -> None:
        """Read a message.

        Raises:
            ValueError: The bytes are not one.
        """
        self._fields: dict[int, list[int | bytes]] = {}
        for number, value in _fields(data):
            self._fields.setdefault(number, []).append(value)

    def numbers(self) -> frozenset[int]:
        """The numbers of the fields that are there."""
        return frozenset(self._fields)

    def integer(self, number: int) -> int:
        """The last value of a number field; 0 when there is none.

        Raises:
            ValueError: It is of another type.
        """
        value = self._fields.get(number, [0])[-1]
        if not isinstance(value, int):
            raise ValueError(f"field {number} is not a number")  # noqa: TRY004  # the input is wrong, not a type of ours
        return value

    def octets(self, number: int) -> bytes:
        """The last value of a bytes field; empty when there is none.

        Raises:
            ValueError: It is of another type.
        """
        return next(reversed(tuple(self.each(number))), b"")

    def each(self, number: int) -> Iterator[bytes]:
        """All values of a repeated bytes or message field.

        Raises:
            ValueError: One is of another type.
        """
        for value in self._fields.get(number, []):
            if not isinstance(value, bytes):
                raise ValueError(f"field {number} is not bytes")  # noqa: TRY004  # the input is wrong, not a type of ours
            yield value

    def message(self, number: int) -> Message:
        """A message field; one without fields when there is none.

        Raises:
            ValueError: It is not a message.
        """
        return Message(self.octets(number))


def encode_message(fields: Iterable[tuple[int, int | bytes]]) -> bytes:
    """A message of numbers and bytes, in this order; zeros and empty bytes are left out, as proto3 does."""
    parts = []
    for number, value in fields:
        if not value:
            continue
        if isinstance(value, int):
            parts += [_varint(number << 3 | _VARINT), _varint(value)]
        else:
            parts += [_varint(number << 3 | _BYTES), _varint(len(value)), value]
    return b"".join(parts)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        key, position = _read_varint(data, position)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError("a field has no number")
        if kind == _VARINT:
            value, position = _read_varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = _read_varint(data, position)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ValueError("a field is of a type that is not known")
        octets = data[position : position + size]
        if len(octets) != size:
            raise ValueError("a field is cut off")
        position += size
        yield number, octets if kind == _BYTES else int.from_bytes(octets, "little")


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, _VARINT_BITS, 7):
        if position >= len(data):
            break
        octet = data[position]
        position += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:  # noqa: PLR2004  # the bit that says that more follows
            return value & _U64, position
    raise ValueError("a number is cut off")


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:  # noqa: PLR2004  # what fits into seven bits
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
