"""CBOR for tokens: data items of definite length, with tags left as they are.

Nothing is made from a tag, no item is shared and no nesting is deep, so that untrusted bytes cost memory in
proportion to their number. Source: RFC 8949 §3 (the items) and §4.2.1 (the form that is written).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Tagged", "decode_cbor", "encode_cbor"]

_DEEPEST: Final = 32
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_SIMPLE_VALUES: Final[dict[int, bool | None]] = {20: False, 21: True, 22: None, 23: None}
_ONE_BYTE: Final = 24
"""Arguments below this stand in the first byte; from here on it tells how many bytes follow."""
_LARGEST_ARGUMENT: Final = 27


@dataclass(frozen=True, slots=True)
class Tagged:
    """An item with its tag (RFC 8949 §3.4)."""

    tag: int
    value: Any


def decode_cbor(data: bytes) -> Any:
    """The one item that the bytes hold: int, bytes, str, list, dict, bool, None or `Tagged` (RFC 8949 §3).

    Raises:
        ValueError: They hold more or less, an item of indefinite length, a float, a map whose keys are not
            numbers, texts or bytes or stand there twice, or nesting beyond 32.
    """
    reader = _Reader(data)
    value = reader.item(_DEEPEST)
    if reader.position != len(data):
        raise ValueError("bytes follow the CBOR item")
    return value


def encode_cbor(value: Any) -> bytes:  # noqa: PLR0911  # one for each kind of item
    """One item, in the deterministic form of RFC 8949 §4.2.1.

    Raises:
        TypeError: It is none of what `decode_cbor` gives.
    """
    match value:
        case None | bool():
            return _head(_SIMPLE, {False: 20, True: 21, None: 22}[value])
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            return _head(_BYTES, len(value)) + value
        case str():
            encoded = value.encode()
            return _head(_TEXT, len(encoded)) + encoded
        case Mapping():
            pairs = sorted((encode_cbor(key), encode_cbor(item)) for key, item in value.items())
            return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
        case Sequence():
            return _head(_ARRAY, len(value)) + b"".join(encode_cbor(item) for item in value)
        case Tagged():
            return _head(_TAG, value.tag) + encode_cbor(value.value)
        case _:
            raise TypeError(f"{type(value).__name__} is not written as CBOR")


def _head(major: int, argument: int) -> bytes:
    for size, limit in enumerate((_ONE_BYTE, 1 << 8, 1 << 16, 1 << 32, 1 << 64)):
        if argument < limit:
            if size == 0:
                return bytes((major << 5 | argument,))
            return bytes((major << 5 | _ONE_BYTE + size - 1,)) + argument.to_bytes(1 << size - 1, "big")
    raise TypeError("the number is too large for CBOR without a tag")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def item(self, depth: int) -> Any:  # noqa: PLR0911  # one for each kind of item
        if depth == 0:
            raise ValueError("the CBOR is nested too deeply")
        first = self._take(1)[0]
        major, argument = first >> 5, self._argument(first & 0x1F)
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self._take(argument)
            case 3:
                return self._take(argument).decode()
            case 4:
                self._expect(argument)
                return [self.item(depth - 1) for _ in range(argument)]
            case 5:
                self._expect(2 * argument)
                return self._map(argument, depth - 1)
            case 6:
                return Tagged(argument, self.item(depth - 1))
            case _:
                if argument not in _SIMPLE_VALUES or first & 0x1F >= _ONE_BYTE:
                    raise ValueError("the CBOR has a float or an unknown simple value")
                return _SIMPLE_VALUES[argument]

    def _map(self, size: int, depth: int) -> dict[int | str | bytes, Any]:
        found: dict[int | str | bytes, Any] = {}
        for _ in range(size):
            key = self.item(depth)
            if not isinstance(key, int | str | bytes) or isinstance(key, bool) or key in found:
                raise ValueError("a key of a CBOR map stands there twice, or is of no use as one")
            found[key] = self.item(depth)
        return found

    def _argument(self, info: int) -> int:
        if info < _ONE_BYTE:
            return info
        if info > _LARGEST_ARGUMENT:
            raise ValueError("the CBOR has an item of indefinite length")
        return int.from_bytes(self._take(1 << info - _ONE_BYTE), "big")

    def _expect(self, items: int) -> None:
        # Every item has at least one byte: a count beyond the rest is known to be wrong before it is read.
        if items > len(self._data) - self.position:
            raise ValueError("the CBOR is cut off")

    def _take(self, size: int) -> bytes:
        self._expect(size)
        begin, self.position = self.position, self.position + size
        return self._data[begin : self.position]
