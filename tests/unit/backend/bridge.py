"""Calls an ASGI application from synchronous tests, on one event loop in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp

Result = TypeVar("Result")


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class AppTransport(httpx.BaseTransport):
    """An httpx transport into an application."""

    def __init__(self, app: ASGIApp, thread: LoopThread) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._thread = thread

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._thread.run(self._handle(request))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=_pieces(request))
        )
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


async def _pieces(request: httpx.Request) -> AsyncIterator[bytes]:
    """The body as it comes: one of unknown length stays so."""
    assert isinstance(request.stream, httpx.SyncByteStream)
    for piece in request.stream:
        yield piece
