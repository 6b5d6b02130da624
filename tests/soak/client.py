"""One user's connection to a backend: HTTP/1.1 over asyncio, so that many users take little of the machine."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

IDLE_SECONDS = 2.0
"""A server closes connections that have been idle for longer; less than that, and none is closed under a request."""


class Unexpected(Exception):
    """An answer that a client of a healthy backend never gets."""


@dataclass
class Record:
    """What all clients saw.

    Attributes:
        seconds: How long each call took, by operation.
        errors: Answers that nobody should get, and reads of something else than was acknowledged.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)


class Client:
    """Calls one after the other on one connection."""

    def __init__(self, endpoint: str, record: Record) -> None:
        url = urlsplit(endpoint)
        assert url.hostname is not None
        self._place = (url.hostname, url.port)
        self._host = url.netloc
        self._record = record
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used_at = 0.0
        self.token = ""

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        status: int = 200,
    ) -> Any:
        """The JSON of an answer; `key` makes a repeat safe.

        Raises:
            Unexpected: The answer has another status, or there is none.
        """
        began = time.perf_counter()
        try:
            found, content = await self._exchange(method, path, body, key)
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise Unexpected(f"{operation}: no answer ({type(error).__name__})") from error
        self._record.seconds[operation].append(time.perf_counter() - began)
        if found != status:
            raise Unexpected(f"{operation}: {found} {content.decode(errors='replace')[:200]}")
        return json.loads(content) if content else None

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, method: str, path: str, body: Any, key: str) -> tuple[int, bytes]:
        reader, writer = await self._connected()
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(content)}"]
        if content:
            head.append("Content-Type: application/json")
        if self.token:
            head.append(f"Authorization: Bearer {self.token}")
        if key:
            head.append(f"Idempotency-Key: {key}")
        writer.write("\r\n".join([*head, "", ""]).encode() + content)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        answer = await reader.readexactly(int(headers.get("content-length", "0")))
        self._used_at = time.monotonic()
        return int(first.split(" ")[1]), answer

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            await self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        return self._streams
