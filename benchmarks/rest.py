"""How many requests the backend answers, and how late, with 64 clients that ask without a pause."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from benchmarks.figures import Figure, compare
from benchmarks.start import bare_server
from prism_iac.backend import stop
from prism_iac.prism import Embedded, PrismClient, start_embedded

__all__ = ["measure"]

_CLIENTS: Final = 64
_RECORDS: Final = 100
_MILLISECONDS: Final = 1000


@dataclass(frozen=True)
class _Load:
    """What a number of clients saw."""

    per_second: float
    p99_ms: float


def measure(*, quick: bool) -> Iterator[Figure]:
    """One record and a page of a hundred, in turns with a bare route."""
    with tempfile.TemporaryDirectory() as folder, bare_server() as bare:
        embedded = start_embedded(Path(folder))
        try:
            requests = {"bare": _request(bare, "/"), **_requests(embedded)}
            seconds, rounds = (0.5, 2) if quick else (3.0, 5)
            loads = [
                {name: asyncio.run(_load(*request, seconds)) for name, request in requests.items()}
                for _ in range(rounds)
            ]
        finally:
            embedded.close()
            stop(Path(folder) / "backend")
    for name in requests:
        yield Figure(f"REST, {name}: requests per second", "1/s", tuple(it[name].per_second for it in loads))
        yield Figure(f"REST, {name}: p99", "ms", tuple(it[name].p99_ms for it in loads))
    for name in requests.keys() - {"bare"}:
        yield compare(
            f"REST, {name}: time per request beside the bare route",
            [1 / it[name].per_second for it in loads],
            [1 / it["bare"].per_second for it in loads],
        )


def _requests(embedded: Embedded) -> dict[str, tuple[str, int, bytes]]:
    admin = embedded.accounts.admin
    domain = embedded.accounts.ensure_workspace("benchmark").id
    with PrismClient(embedded.endpoint, admin) as client:
        computations = client.workspace(domain).computations
        ids = [
            computations.create(name=f"computation {number}", description="a computation")
            for number in range(_RECORDS)
        ]
    body = {"username": admin.username, "password": admin.password}
    issued = httpx.post(f"{embedded.endpoint}/users/tokens/issue", json=body).raise_for_status()
    token = json.loads(issued.content)["access_token"]
    path = f"/computations/{domain}/computations"
    return {
        "one computation": _request(embedded.endpoint, f"{path}/{ids[0]}", token),
        "a page of 100": _request(embedded.endpoint, f"{path}?limit={_RECORDS}", token),
    }


def _request(endpoint: str, path: str, token: str = "") -> tuple[str, int, bytes]:
    """Host, port and the bytes of a request."""
    url = urlsplit(endpoint)
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\n{authorization}\r\n"
    return url.hostname or "", url.port or 0, head.encode()


async def _load(host: str, port: int, request: bytes, seconds: float) -> _Load:
    latencies: list[float] = []
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as clients:
        for _ in range(_CLIENTS):
            clients.create_task(_ask(host, port, request, begin + seconds, latencies))
    elapsed = time.perf_counter() - begin
    latencies.sort()
    return _Load(len(latencies) / elapsed, latencies[int(len(latencies) * 0.99)] * _MILLISECONDS)


async def _ask(host: str, port: int, request: bytes, end: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while (sent := time.perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        latencies.append(time.perf_counter() - sent)
    writer.close()
    await writer.wait_closed()
