"""A network under httpx that keeps one deadline for a whole exchange.

The time-outs of httpx count from one received piece to the next, so a peer that sends a byte now and then
holds a caller for ever. Here every wait is cut to what is left of the exchange.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

__all__ = ["DeadlineNetwork"]


class _Deadline(threading.local):
    """The end of the exchange that this thread is in, on the monotonic clock."""

    end: float = float("inf")

    def left(self, timeout: float | None) -> float:
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the exchange took too long")
        return left if timeout is None else min(timeout, left)


class DeadlineNetwork(httpcore.NetworkBackend):
    """TCP connections whose every wait ends with the exchange that it is part of."""

    def __init__(self) -> None:
        self._tcp = httpcore.SyncBackend()
        self._deadline = _Deadline()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What this thread does inside ends after so many seconds with `httpcore.ReadTimeout`."""
        self._deadline.end = time.monotonic() + seconds
        try:
            yield
        finally:
            self._deadline.end = float("inf")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect; a time-out here means that nothing was sent."""
        if timeout is not None and timeout <= 0:
            # A socket takes no such time-out, and nothing was sent here either.
            raise httpcore.ConnectTimeout("the exchange took too long")
        stream = self._tcp.connect_tcp(host, port, timeout, local_address, socket_options)
        return _DeadlineStream(stream, self._deadline)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _DeadlineStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
