"""A TLS connection over a socket, whose steps end in time, and the way through it once it is trusted."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from prism_iac.agent.atls._channel import Channel
from prism_iac.agent.atls._wire import FRAME_HEAD_BYTES, FrameType, frame, frame_size

__all__ = ["StreamEnded", "TlsStream", "reasons_of"]

T = TypeVar("T")

_RECORD_BYTES: Final = 1 << 14
"""RFC 8446 §5.1: what one record carries at most."""
_BLOCK_BYTES: Final = 1 << 17
_TURN: Final = 8
"""How many pieces go one way before it is the other's turn."""

_DIGESTS: Final = {"SHA256": "sha256", "SHA384": "sha384"}


class StreamEnded(ConnectionError):
    """The peer closed the connection, or did not answer in time."""


class TlsStream:
    """One end of a TLS 1.3 connection; made of a connected socket, which it owns.

    The handshake and the frames are for one thread at a time; `abort` is for any thread.

    Args:
        connected: The socket.
        context: The settings, with the keys.
        deadline: The moment, by `time.monotonic`, until which the steps before `carry` must be done.
    """

    def __init__(self, connected: socket.socket, context: SSL.Context, *, deadline: float) -> None:
        connected.settimeout(0)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket = connected
        self._tls = SSL.Connection(context, connected)
        self._deadline = deadline

    def peer_certificate(self) -> bytes:
        """What the peer showed in the handshake, PEM; empty when it showed none."""
        leaf = self._tls.get_peer_certificate(as_cryptography=True)
        return leaf.public_bytes(Encoding.PEM) if leaf else b""

    @property
    def name(self) -> bytes | None:
        """The name that the client asked for."""
        return self._tls.get_servername()

    def connect(self, name: bytes | None = None) -> None:
        """Shake hands as the client, and ask for a name if one is given; raises as `accept` does."""
        if name is not None:
            self._tls.set_tlsext_host_name(name)
        self._tls.set_connect_state()
        self._in_time(self._tls.do_handshake)

    def accept(self) -> None:
        """Shake hands as the server.

        Raises:
            SSL.Error: The two do not agree.
            StreamEnded: The peer is gone, or too slow.
        """
        self._tls.set_accept_state()
        self._in_time(self._tls.do_handshake)

    def channel(self) -> Channel:
        """What both ends can compute from now on."""
        suite = self._tls.get_cipher_name() or ""
        return Channel(self._tls.export_keying_material, _DIGESTS[suite.rpartition("_")[2]])

    def send_frame(self, kind: FrameType, payload: bytes) -> None:
        """Send a frame; raises as `accept` does."""
        rest = memoryview(frame(kind, payload))
        while rest:
            piece = rest
            rest = rest[self._in_time(lambda piece=piece: self._tls.send(piece)) :]  # type: ignore[misc]  # bound at once

    def receive_frame(self, kind: FrameType) -> bytes:
        """The payload of the next frame.

        Raises:
            ValueError: It is of another type, or too large.
            SSL.Error: What comes is no TLS, or an alert.
            StreamEnded: The peer is gone, or too slow.
        """
        return self._receive(frame_size(self._receive(FRAME_HEAD_BYTES), kind))

    def carry(self, plain: socket.socket) -> None:
        """Carry bytes both ways until one side ends; what that side sent before arrives.

        Args:
            plain: Speaks what is carried, without TLS.
        """
        plain.settimeout(0)
        ways = (
            _OneWay(lambda: plain.recv(_BLOCK_BYTES), self._tls.send),
            _OneWay(self._receive_block, plain.send),
        )
        with suppress(EOFError, OSError, SSL.Error):
            while True:
                obstacles = [obstacle for way in ways if (obstacle := way.advance(_TURN))]
                if len(obstacles) == len(ways):
                    events = dict.fromkeys(_Side, 0)
                    for side, event in obstacles:
                        events[side] |= event
                    _wait({self._socket: events[_Side.PEER], plain: events[_Side.PLAIN]})

    def close(self) -> None:
        """Say good-bye if the peer listens, and close the socket."""
        with suppress(SSL.Error, OSError):
            self._tls.shutdown()
        self._socket.close()

    def abort(self) -> None:
        """End what goes on in another thread."""
        with suppress(OSError):  # it has ended
            self._socket.shutdown(socket.SHUT_RDWR)

    def _receive(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            most = min(size - len(received), _RECORD_BYTES)
            received += self._in_time(lambda most=most: self._tls.recv(most))  # type: ignore[misc]  # bound at once
        return bytes(received)

    def _receive_block(self) -> bytearray:
        """What has come, some records of it."""
        received = bytearray()
        try:
            while len(received) < _BLOCK_BYTES:
                received += self._tls.recv(_RECORD_BYTES)
        except SSL.Error:
            # Whatever it is, it comes again at the next call, once this is written.
            if not received:
                raise
        return received

    def _in_time(self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except SSL.WantReadError:
                wanted = select.POLLIN
            except SSL.WantWriteError:
                wanted = select.POLLOUT
            except (SSL.ZeroReturnError, SSL.SysCallError) as error:
                raise StreamEnded("the peer closed the connection") from error
            left = self._deadline - time.monotonic()
            if left <= 0 or not _wait({self._socket: wanted}, left):
                raise StreamEnded("the peer did not answer in time")


def reasons_of(error: SSL.Error) -> str:
    """What OpenSSL says of a failure, in its words."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(str(entry[-1]) for entry in entries) or "no reason told"


class _Side(Enum):
    PEER = auto()
    PLAIN = auto()


@dataclass(slots=True)
class _OneWay:
    """One direction: what was read and not written yet waits in it, and nothing is read meanwhile."""

    read: Callable[[], bytes | bytearray]
    write: Callable[[memoryview], int]
    rest: memoryview = field(default=memoryview(b""))

    def advance(self, pieces: int) -> tuple[_Side, int] | None:
        """Read or write some pieces; gives the side and the event that it waits for when it cannot.

        Raises:
            EOFError: The side that it reads has ended. Or OSError, or SSL.Error.
        """
        try:
            for _ in range(pieces):
                if not self.rest:
                    self.rest = memoryview(self.read())
                    if not self.rest:
                        raise EOFError
                self.rest = self.rest[self.write(self.rest) :]
        except BlockingIOError:
            return _Side.PLAIN, select.POLLOUT if self.rest else select.POLLIN
        except SSL.WantReadError:
            return _Side.PEER, select.POLLIN
        except SSL.WantWriteError:
            return _Side.PEER, select.POLLOUT
        return None


def _wait(wanted: dict[socket.socket, int], seconds: float | None = None) -> bool:
    poll = select.poll()
    for waiting, events in wanted.items():
        if events:  # a socket that is registered for nothing still wakes by its end
            poll.register(waiting, events)
    return bool(poll.poll(None if seconds is None else max(1, int(seconds * 1000))))
