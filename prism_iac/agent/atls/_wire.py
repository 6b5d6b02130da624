"""The bytes of handshake messages, and of the frames that carry them over a TLS connection.

Source: RFC 8446 §3 (vectors) and §4 (handshake messages); cocos-grpc.md section 9.1 (frames).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = [
    "FRAME_HEAD_BYTES",
    "FrameType",
    "HandshakeType",
    "Reader",
    "frame",
    "frame_size",
    "handshake_message",
    "vector",
]

FRAME_HEAD_BYTES: Final = 5
_LARGEST_FRAME: Final = 16 << 20


class FrameType(IntEnum):
    """What a frame carries."""

    REQUEST = 1
    AUTHENTICATOR = 2


class HandshakeType(IntEnum):
    """RFC 8446 §4 and RFC 9261 §4; both kinds of request are the same but for who may send them."""

    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13
    CERTIFICATE_VERIFY = 15
    CLIENT_CERTIFICATE_REQUEST = 17
    FINISHED = 20


class Reader:
    """Reads untrusted bytes from front to back; every method raises ValueError where they end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        begin, end = self._position, self._position + size
        if end > len(self._data):
            raise ValueError("it is cut off")
        self._position = end
        return self._data[begin:end]

    def number(self, size: int) -> int:
        """An unsigned number of so many bytes, big-endian."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Bytes behind their length, which has so many bytes."""
        return self.take(self.number(size))

    def message(self, *kinds: HandshakeType) -> bytes:
        """The body of a handshake message of one of these kinds."""
        found = self.number(1)
        if found not in kinds:
            raise ValueError(f"a handshake message of type {found} stands where another belongs")
        return self.vector(3)

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self._position == len(self._data)

    def end(self) -> None:
        """Refuse bytes that are left."""
        if not self.is_at_end:
            raise ValueError("bytes follow its end")


def vector(data: bytes, size: int) -> bytes:
    """Bytes behind their length, which has so many bytes."""
    return len(data).to_bytes(size, "big") + data


def handshake_message(kind: HandshakeType, body: bytes) -> bytes:
    """A handshake message with its head of four bytes."""
    return bytes((kind,)) + vector(body, 3)


def frame(kind: FrameType, payload: bytes) -> bytes:
    """A frame with its head."""
    return bytes((kind,)) + vector(payload, 4)


def frame_size(head: bytes, expected: FrameType) -> int:
    """How many bytes follow the head of a frame.

    Raises:
        ValueError: It is of another type, or too large.
    """
    kind, size = head[0], int.from_bytes(head[1:FRAME_HEAD_BYTES], "big")
    if kind != expected:
        raise ValueError(f"a frame of type {kind} stands where one of type {expected:d} belongs")
    if size > _LARGEST_FRAME:
        raise ValueError(f"a frame of {size} bytes is too large")
    return size
