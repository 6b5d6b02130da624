"""Cuts text into pieces that fit a message, between characters."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["LinePieces", "pieces_of"]

_CONTINUATION_BITS = 0b1100_0000
_CONTINUATION = 0b1000_0000


def pieces_of(data: bytes, size: int) -> Iterator[str]:
    """UTF-8 text in pieces of at most `size` bytes; bytes that are no text become U+FFFD."""
    start = 0
    while start < len(data):
        end = _boundary(data, start, start + size)
        yield data[start:end].decode("utf-8", "replace")
        start = end


def _boundary(data: bytes, start: int, end: int) -> int:
    # A character has at most three continuation bytes (RFC 3629 section 3); more is not text.
    if end >= len(data):
        return len(data)
    for candidate in range(end, max(end - 4, start), -1):
        if data[candidate] & _CONTINUATION_BITS != _CONTINUATION:
            return candidate
    return end


class LinePieces:
    """Turns blocks of output into lines, and long lines into pieces.

    Args:
        size: The most bytes of a piece.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = b""

    def feed(self, block: bytes) -> Iterator[str]:
        """The pieces of every line that the block completes, or that is long enough."""
        *lines, rest = (self._rest + block).split(b"\n")
        for line in lines:
            yield from pieces_of(line, self._size)
        whole = len(rest) - len(rest) % self._size
        end = _boundary(rest, 0, whole) if whole and whole < len(rest) else 0
        yield from pieces_of(rest[:end], self._size)
        self._rest = rest[end:]

    def flush(self) -> Iterator[str]:
        """The pieces of the last line, which no newline ended."""
        yield from pieces_of(self._rest, self._size)
        self._rest = b""
