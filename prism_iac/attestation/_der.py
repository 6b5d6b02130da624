"""As much of DER as the extensions of attestation certificates need.

Source: X.690 §8.1 (tag, length, content) and §10.1 (the shortest form of a length).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Item", "Tag", "integer_of", "item", "items_of", "oid_content", "oid_of", "only_item"]

_LONG_FORM: Final = 0x80
_MULTI_BYTE_TAG: Final = 0x1F


class Tag:
    """Identifier octets (X.690 §8.1.2)."""

    BOOLEAN: Final = 0x01
    INTEGER: Final = 0x02
    OCTETS: Final = 0x04
    OID: Final = 0x06
    ENUMERATED: Final = 0x0A
    IA5: Final = 0x16
    SEQUENCE: Final = 0x30


@dataclass(frozen=True, slots=True)
class Item:
    """One value with its tag, not interpreted."""

    tag: int
    content: bytes

    def of(self, tag: int) -> bytes:
        """The content, when the tag is this one.

        Raises:
            ValueError: It is another.
        """
        if self.tag != tag:
            raise ValueError("not the DER type that is expected here")
        return self.content


def items_of(data: bytes) -> Iterator[Item]:
    """The values that stand one behind the other (X.690 §8.1).

    Raises:
        ValueError: A value is cut off, or its length is not in the shortest form.
    """
    position = 0
    while position < len(data):
        tag, length, begin = _head(data, position)
        position = begin + length
        if position > len(data):
            raise ValueError("a DER value is cut off")
        yield Item(tag, data[begin:position])


def only_item(data: bytes, tag: int) -> bytes:
    """The content of the one value that the bytes hold (X.690 §8.1).

    Raises:
        ValueError: They hold more or less than one, or one of another tag.
    """
    (found,) = items_of(data)
    return found.of(tag)


def integer_of(content: bytes) -> int:
    """A non-negative INTEGER or ENUMERATED from its content (X.690 §8.3).

    Raises:
        ValueError: It is negative, or not in the shortest form.
    """
    value = int.from_bytes(content, "big", signed=True)
    if value < 0 or content != value.to_bytes(value.bit_length() // 8 + 1, "big"):
        raise ValueError("not a non-negative INTEGER in DER")
    return value


def oid_of(content: bytes) -> str:
    """An object identifier in dotted form (X.690 §8.19).

    Raises:
        ValueError: The last part is cut off, or there is none.
    """
    parts: list[int] = []
    value = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & _LONG_FORM:
            parts.append(value)
            value = 0
        elif value >> 56:
            raise ValueError("a part of an object identifier is too large")
    if not parts or content[-1] & _LONG_FORM:
        raise ValueError("an object identifier is cut off")
    first = min(parts[0] // 40, 2)
    return ".".join(str(part) for part in (first, parts[0] - 40 * first, *parts[1:]))


def item(tag: int, content: bytes) -> bytes:
    """One value in DER (X.690 §10.1)."""
    if len(content) < _LONG_FORM:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(length))) + length + content


def oid_content(oid: str) -> bytes:
    """The content of an OBJECT IDENTIFIER (X.690 §8.19)."""
    first, second, *rest = map(int, oid.split("."))
    return b"".join(bytes(_base128(part)) for part in (40 * first + second, *rest))


def _base128(value: int) -> Iterator[int]:
    groups = max(1, (value.bit_length() + 6) // 7)
    for group in reversed(range(groups)):
        yield value >> 7 * group & 0x7F | (0x80 if group else 0)


def _head(data: bytes, position: int) -> tuple[int, int, int]:
    """Tag, length, and where the content begins."""
    if position + 2 > len(data) or data[position] & _MULTI_BYTE_TAG == _MULTI_BYTE_TAG:
        raise ValueError("a DER value is cut off")
    tag, length = data[position], data[position + 1]
    begin = position + 2
    if length < _LONG_FORM:
        return tag, length, begin
    end = begin + (length & 0x7F)
    octets = data[begin:end]
    value = int.from_bytes(octets, "big")
    if len(octets) != length & 0x7F or not octets or octets[0] == 0 or value < _LONG_FORM:
        raise ValueError("the length of a DER value is not in the shortest form")
    return tag, value, end
