"""Calls to the REST API of a forge, with pauses where it asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx

from prism_iac.errors import Conflict, Finding, InvalidInput, RemoteFailure

__all__ = ["NotAllowed", "Rest"]

T = TypeVar("T")

_PASSING: Final = frozenset({429, 500, 502, 503, 504})
_ATTEMPTS: Final = 5
_LONGEST_PAUSE_SECONDS: Final = 300.0
_TIMEOUT_SECONDS: Final = 30.0
_PER_PAGE: Final = 100
_MOST_PAGES: Final = 1000
_SHOWN: Final = 200
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class NotAllowed(Conflict):
    """The forge knows the job and does not let it write, as with pull requests of forks."""


class Rest:
    """A client of one forge. Follows no redirects: the token goes to the named host alone.

    Args:
        endpoint: The base URL of the API.
        headers: Sent with each call, the token among them.
        secret: The token, which no message shows; empty where none is needed.
        pause: Waits for some seconds.
        clock: The seconds since 1970, against which a limit's end is measured.

    Raises:
        InvalidInput: The endpoint would get the token in clear.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        secret: str = "",
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        url = urlsplit(endpoint)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
            raise InvalidInput(
                [
                    Finding(
                        message=f"the API of the forge must be an https URL, not {endpoint[:_SHOWN]!r}",
                        fix="Correct GITHUB_API_URL, CI_API_V4_URL or the issuer.",
                    )
                ]
            )
        self._endpoint = endpoint.rstrip("/")
        self._secret = secret
        self._pause = pause
        self._clock = clock
        self._client = httpx.Client(headers=dict(headers), timeout=_TIMEOUT_SECONDS)

    def pages(self, path: str, read: Callable[[Any], T]) -> Iterator[T]:
        """Every item of a list, page by page."""
        start = f"{path}{'&' if '?' in path else '?'}per_page={_PER_PAGE}"
        for page in range(1, _MOST_PAGES + 1):
            items = self.get(f"{start}&page={page}", lambda items: [*map(read, items)])
            yield from items
            if len(items) < _PER_PAGE:
                return

    def get(self, path: str, read: Callable[[Any], T]) -> T:
        """What a document says.

        Raises:
            NotAllowed: The job may not read it.
            RemoteFailure: There is none, or it has another shape.
        """
        reply = self.call("GET", path)
        try:
            return read(reply.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._failure("GET", path, "the forge's answer has another shape") from error

    def call(
        self, method: str, path: str, *, body: str | None = None, accept: frozenset[int] = frozenset()
    ) -> httpx.Response:
        """Make a call; a repeat of each is safe, for what it may make twice is cleared away.

        Args:
            method: The method.
            path: Below the endpoint.
            body: The text of a comment.
            accept: Replies that are no failure, besides those of success.

        Raises:
            NotAllowed: 403, and not for a limit on the number of calls.
            RemoteFailure: Any other refusal, or no answer.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                reply = self._client.request(
                    method, self._endpoint + path, json=None if body is None else {"body": body}
                )
            except httpx.TransportError as error:
                if attempt == _ATTEMPTS:
                    raise self._failure(method, path, "the forge does not answer", passes=True) from error
                self._pause(2.0 ** (attempt - 1))
                continue
            if reply.is_success or reply.status_code in accept:
                return reply
            asked = self._asked(reply)
            if asked is None and reply.status_code not in _PASSING:
                raise self._refusal(method, path, reply)
            seconds = max(asked or 0.0, 2.0 ** (attempt - 1))
            if attempt == _ATTEMPTS or seconds > _LONGEST_PAUSE_SECONDS:
                told = f"{self._told(reply)}; it asks to wait {seconds:.0f} s" if asked else self._told(reply)
                raise self._failure(method, path, told, passes=True)
            self._pause(seconds)
        raise AssertionError

    def _asked(self, reply: httpx.Response) -> float | None:
        """The pause that the forge asks for; None where it does not limit the number of calls."""
        if reply.status_code not in _PASSING | {403}:
            return None
        after = _number(reply.headers.get("retry-after"))
        if after is not None:
            return after
        for name in ("x-ratelimit", "ratelimit"):
            until = _number(reply.headers.get(f"{name}-reset"))
            if until is not None and reply.headers.get(f"{name}-remaining") == "0":
                return max(until - self._clock(), 0.0)
        return None

    def _refusal(self, method: str, path: str, reply: httpx.Response) -> Conflict | RemoteFailure:
        where = f"{method} {self._endpoint}{path}"
        if reply.status_code == httpx.codes.FORBIDDEN:
            return NotAllowed(
                self._told(reply),
                where=where,
                next_step="Give the job the right to write on pull requests; forks do not get it.",
            )
        if reply.status_code == httpx.codes.UNAUTHORIZED:
            return Conflict(self._told(reply), where=where, next_step="Give the job a token that is valid.")
        if reply.status_code == httpx.codes.NOT_FOUND:
            return Conflict(
                self._told(reply),
                where=where,
                next_step="Check the project and the number of the pull request, and that the token reaches them.",
            )
        return self._failure(method, path, self._told(reply))

    def _told(self, reply: httpx.Response) -> str:
        try:
            message = reply.json()["message"]
        except (ValueError, LookupError, TypeError):
            message = ""
        text = f"the forge answered {reply.status_code}" + (f": {message}" if message else "")
        return (text.replace(self._secret, "***") if self._secret else text)[:_SHOWN]

    def _failure(self, method: str, path: str, message: str, *, passes: bool = False) -> RemoteFailure:
        return RemoteFailure(
            message,
            where=f"{method} {self._endpoint}{path}",
            next_step="Run the job again." if passes else "See the forge's status and its documentation.",
            retry_is_safe=passes,
        )


def _number(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None
