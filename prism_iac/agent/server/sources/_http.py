"""HTTP as sources and key brokers speak it: bounded, verified, and with redirects that are looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol

import httpx

from prism_iac.agent.server.sources._failure import FetchFailed, told
from prism_iac.agent.server.sources._network import GuardedTransport
from prism_iac.agent.server.sources._settings import SourceSettings

__all__ = ["Http", "Sink"]

_MOST_REDIRECTS: Final = 5
_BLOCK_BYTES: Final = 1 << 20
_OK: Final = 200


class Sink(Protocol):
    """Takes bytes as they come."""

    async def write(self, block: bytes) -> None:
        """Append a block."""


class Http:
    """One client for all that a computation fetches; to be closed."""

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(settings),
            timeout=httpx.Timeout(settings.stall_seconds),
            headers={"User-Agent": "prism-iac-agent", "Accept-Encoding": "identity"},
            trust_env=False,
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        follows: bool = True,
    ) -> AsyncIterator[httpx.Response]:
        """Ask for a URL; gives the answer, whatever its status, with its body not read yet.

        A redirect is followed to http and https, from https to https alone, and takes no header of ours to
        another origin.

        Raises:
            FetchFailed: No answer comes, or it leads nowhere.
        """
        with _failing_for(url):
            at, own = httpx.URL(url), dict(headers or {})
            for _ in range(_MOST_REDIRECTS + 1):
                request = self._client.build_request("GET", at, headers=own)
                response = await self._client.send(request, stream=True)
                if follows and response.has_redirect_location:
                    await response.aclose()
                    target = _target(response)
                    own = own if _origin(target) == _origin(at) else {}
                    at = target
                    continue
                try:
                    yield response
                finally:
                    await response.aclose()
                return
            raise FetchFailed(f"more than {_MOST_REDIRECTS} redirects")

    async def post(self, url: str, body: Mapping[str, object], *, most_bytes: int) -> tuple[int, bytes]:
        """Send JSON; gives status and body. Redirects are answers like any other.

        Raises:
            FetchFailed: No answer comes, or a larger one.
        """
        with _failing_for(url):
            async with self._client.stream("POST", url, json=body) as response:
                return response.status_code, await self.read(response, most_bytes)

    async def download(self, url: str, sink: Sink, headers: Mapping[str, str] | None = None) -> None:
        """Fetch a whole object into a sink.

        Raises:
            FetchFailed: It is not there, too large, or ends too early.
        """
        async with self.get(url, headers) as response:
            await self.read_into(response, sink)

    async def read_into(self, response: httpx.Response, sink: Sink) -> None:
        """Read the body of an answer with status 200 into a sink; errors as in `download`."""
        if response.status_code != _OK:
            raise FetchFailed(f"the server answered with status {response.status_code}")
        most, size = self._settings.size_bytes, 0
        if int(response.headers.get("Content-Length") or 0) > most:
            raise _too_large(most)
        async for block in response.aiter_raw(_BLOCK_BYTES):
            size += len(block)
            if size > most:
                raise _too_large(most)
            await sink.write(block)

    async def read(self, response: httpx.Response, most_bytes: int) -> bytes:
        """The body of an answer that is small.

        Raises:
            FetchFailed: It is larger.
        """
        body = bytearray()
        async for block in response.aiter_raw(_BLOCK_BYTES):
            body += block
            if len(body) > most_bytes:
                raise _too_large(most_bytes)
        return bytes(body)


def _too_large(most: int) -> FetchFailed:
    return FetchFailed(f"it has more than the {most} bytes that are allowed")


def _target(response: httpx.Response) -> httpx.URL:
    target = response.url.join(response.headers["Location"])
    if target.scheme not in ("http", "https"):
        raise FetchFailed(f"it redirects to {target.scheme}, which is not followed")
    if response.url.scheme == "https" and target.scheme != "https":
        raise FetchFailed(f"it redirects from https to http at {told(str(target))}, which is not followed")
    return target


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class _failing_for:  # noqa: N801  # reads as the statement that it is
    """Turns what httpx raises into a failure that names no secret of the URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise what it means."""
        del kind, trace
        for known, tell in _TELL.items():
            if isinstance(error, known):
                raise FetchFailed(tell(error)) from error


_TELL: Final[Mapping[type[Exception], Callable[[BaseException], str]]] = {
    httpx.ConnectTimeout: lambda _: "it does not answer",
    httpx.TimeoutException: lambda _: "it stopped sending",
    httpx.ConnectError: lambda error: f"it cannot be reached: {error}",
    httpx.RemoteProtocolError: lambda _: "the connection ended in the middle",
    httpx.TransportError: lambda error: f"the connection failed: {type(error).__name__}",
    httpx.InvalidURL: lambda _: "the URL cannot be read",
    UnicodeError: lambda _: "the URL cannot be read",
}
