"""Faults of a network, put between a client and a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

__all__ = ["LosesReplies", "StalesTokens"]


class LosesReplies(httpx.BaseTransport):
    """Lets the server do its work and loses its reply, for the first so many of the calls that match."""

    def __init__(self, matches: Callable[[httpx.Request], bool], *, times: int = 1) -> None:
        self._matches = matches
        self._left = times
        self._lock = threading.Lock()
        self._real = httpx.HTTPTransport()
        self.delivered = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._real.handle_request(request)
        if not self._matches(request):
            return response
        with self._lock:
            self.delivered += 1
            lost = self._left > 0
            self._left -= 1
        if lost:
            response.read()
            response.close()
            raise httpx.ReadError("the reply was lost on its way")
        return response

    def close(self) -> None:
        self._real.close()


class StalesTokens(httpx.BaseTransport):
    """Makes the access token that is in use worthless when told to, as time does."""

    def __init__(self) -> None:
        self._real = httpx.HTTPTransport()
        self._stale: set[str] = set()
        self.seen: set[str] = set()
        self.refreshes = 0

    def expire(self) -> None:
        self._stale |= self.seen

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/users/tokens/refresh":
            self.refreshes += 1
        elif header := request.headers.get("authorization"):
            self.seen.add(header)
            if header in self._stale:
                request.headers["authorization"] = f"{header}x"
        return self._real.handle_request(request)

    def close(self) -> None:
        self._real.close()
