"""What the tests of this room share: a scripted Prism behind a client, and a clock that they move."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from prism_iac.prism import Credentials, PasswordCredentials, PrismClient, Workspace

ENDPOINT = "https://prism.example"
DOMAIN = "d0"
USER = PasswordCredentials("ada@example.com", "correct horse battery")

Responder = Callable[[httpx.Request], httpx.Response]


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@dataclass
class ScriptedPrism:
    """Issues tokens, then answers each call with the next of its replies; the last one stays.

    A reply is a response, or an exception to raise. Where `respond` is set it answers instead.
    """

    replies: list[httpx.Response | Exception]
    respond: Responder | None = None
    requests: list[httpx.Request] = field(default_factory=list)
    logins: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            if request.url.path == "/users/tokens/issue":
                self.logins += 1
                return tokens(f"access-{self.logins}", f"refresh-{self.logins}")
            self.requests.append(request)
            if self.respond is not None:
                return self.respond(request)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return copy_of(reply)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]


def copy_of(reply: httpx.Response) -> httpx.Response:
    """The same response again; httpx lets one be sent once."""
    return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)


def tokens(access: str, refresh: str) -> httpx.Response:
    return httpx.Response(201, json={"access_token": access, "refresh_token": refresh})


def client_of(
    respond: Responder,
    *,
    time: FakeTime | None = None,
    credentials: Credentials = USER,
    jitter: float = 1.0,
    **options: Any,
) -> PrismClient:
    """A client whose network is a function."""
    time = time or FakeTime()
    return PrismClient(
        ENDPOINT,
        credentials,
        transport=httpx.MockTransport(respond),
        clock=time.clock,
        sleep=time.sleep,
        jitter=lambda: jitter,
        **options,
    )


def workspace_of(
    *replies: httpx.Response | Exception, time: FakeTime | None = None, **options: Any
) -> tuple[Workspace, ScriptedPrism]:
    """A workspace at a scripted Prism, and the Prism."""
    prism = ScriptedPrism(list(replies))
    return client_of(prism, time=time, **options).workspace(DOMAIN), prism


def ok(
    document: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """A reply with a JSON document, or with nothing."""
    if document is None:
        return httpx.Response(status, headers=headers)
    return httpx.Response(status, json=document, headers=headers)


def refused(status: int, error: str = "no", *, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """A refusal in Prism's form (D4)."""
    return httpx.Response(status, json={"error": error}, headers=headers)


def page(array: str, *items: Any, **counters: int) -> httpx.Response:
    """One page that is the whole list."""
    return ok({array: list(items), "total": len(items), "limit": 100, "offset": 0, **counters})


def sent_json(request: httpx.Request) -> Any:
    return json.loads(request.content)
