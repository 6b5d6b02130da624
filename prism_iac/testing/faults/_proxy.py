"""A proxy before a backend that spoils the calls which its rules name."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from prism_iac.testing.faults._server import LocalServer
from prism_iac.testing.faults._tape import CutOff

__all__ = ["Answer", "Fault", "FaultProxy", "Rule", "storm"]

_OF_ONE_CONNECTION: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
)
_HUGE_BYTES: Final = 40 << 20
_DELAY_SECONDS: Final = 0.3
_DRIP_SECONDS: Final = 0.2


class Fault(StrEnum):
    """What becomes of a call. After those of the second group the backend has done its work."""

    RESET = "reset"
    DELAY = "delay"
    TOO_MANY = "429 with Retry-After"
    BAD_GATEWAY = "502"
    EXPIRED = "expired token"
    REDIRECT = "redirect elsewhere"
    CIRCLE = "redirect in a circle"

    LOST = "lost reply"
    HALF_CLOSE = "half-close"
    TRUNCATED = "truncated"
    HTML = "HTML page"
    WRONG_TYPE = "wrong content type"
    DUPLICATE_KEYS = "duplicate keys"
    HUGE = "huge body"
    GZIP = "gzip"
    BROKEN_GZIP = "broken gzip"
    GZIP_BOMB = "gzip bomb"
    SLOW_LORIS = "slow-loris"
    SLOW_BODY = "slow body"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which calls meet a fault.

    Attributes:
        fault: What becomes of them.
        calls: A regular expression that is searched for in `METHOD path`.
        skip: How many matching calls go through first.
        times: How many then meet it.
    """

    fault: Fault
    calls: str = ""
    skip: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply of the backend."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def having(self, body: bytes, **headers: str) -> Answer:
        """The same with another body and other headers, whose names have `_` for `-`."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = [(name, value) for name, value in self.headers if name.lower() not in changed]
        return Answer(self.status, [*kept, *changed.items()], body)


def storm(*, seed: int, share: float, faults: Sequence[Fault]) -> Callable[[str], Fault | None]:
    """Faults at random calls, the same ones for the same seed and the same order of calls.

    Args:
        seed: Of the random numbers.
        share: Of the calls that meet a fault, from 0 to 1.
        faults: What they meet, each as often as the others.
    """
    source = random.Random(seed)  # noqa: S311  # a repeatable storm, no secret

    def strike(_: str) -> Fault | None:
        return source.choice(faults) if source.random() < share else None

    return strike


class FaultProxy(LocalServer):
    """Hands calls on to a backend, but for those that meet a fault; a context manager.

    Attributes:
        backend: Its base URL, http.
        rules: What is spoilt.
        strike: Gives the fault that a call meets, where no rule does.
        calls: Every call so far, `METHOD path`, in the order of arrival.
        struck: The faults that calls have met.
        passing: Surrounds what the backend does with a call, which it is told of as `METHOD path`.
    """

    def __init__(
        self,
        backend: str,
        rules: Iterable[Rule] = (),
        strike: Callable[[str], Fault | None] = lambda _: None,
        *,
        passing: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        super().__init__(partial(_Handler, self))
        self.backend = backend
        self.rules = tuple(rules)
        self.strike = strike
        self.calls: list[str] = []
        self.struck: list[Fault] = []
        self.passing = passing
        self._seen = [0] * len(self.rules)
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def before_embedded(
        cls, data: Path, rules: Iterable[Rule] = (), strike: Callable[[str], Fault | None] = lambda _: None
    ) -> Iterator[Self]:
        """A proxy that clients of an embedded backend take for it.

        Args:
            data: The data folder of a running embedded backend.
            rules: What is spoilt.
            strike: Gives the fault that a call meets, where no rule does.
        """
        instance = data / "backend" / "instance.json"
        told: dict[str, Any] = json.loads(instance.read_bytes())
        with cls(told["rest_url"], rules, strike) as proxy:
            instance.write_text(json.dumps(told | {"rest_url": proxy.endpoint}), encoding="utf-8")
            try:
                yield proxy
            finally:
                instance.write_text(json.dumps(told), encoding="utf-8")

    def arrived(self, call: str) -> Fault | None:
        """What a call meets."""
        with self._lock:
            self.calls.append(call)
            fault = self._fault_of(call)
            if fault is not None:
                self.struck.append(fault)
            return fault

    def _fault_of(self, call: str) -> Fault | None:
        for place, rule in enumerate(self.rules):
            if re.search(rule.calls, call):
                self._seen[place] += 1
                if rule.skip < self._seen[place] <= rule.skip + rule.times:
                    return rule.fault
        return self.strike(call)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a caller."""

    protocol_version = "HTTP/1.1"

    def __init__(self, proxy: FaultProxy, *connection: Any) -> None:
        self._proxy = proxy
        super().__init__(*connection)

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed:
            # Every method is served alike.
            setattr(self, f"do_{self.command}", self._serve)
        return parsed

    def handle(self) -> None:
        # A caller that is killed resets its idle connections.
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        call = f"{self.command} {urlsplit(self.path).path}"
        fault = self._proxy.arrived(call)
        # Whoever called may be dead by the time that an answer comes.
        with suppress(ConnectionError):
            self._meet(fault, call, body)

    def _meet(self, fault: Fault | None, call: str, body: bytes) -> None:
        if fault is Fault.RESET:
            self._reset()
        elif fault in _REFUSALS:
            self._answer(_REFUSALS[fault])
        elif fault is Fault.CIRCLE:
            self._answer(Answer(HTTPStatus.TEMPORARY_REDIRECT, [("location", self.path)], b""))
        else:
            if fault is Fault.DELAY:
                time.sleep(_DELAY_SECONDS)
            try:
                with self._proxy.passing(call):
                    answer = self._forward(body)
            except (CutOff, ConnectionError, http.client.HTTPException):
                # Somebody was killed, or the backend is not there.
                self._reset()
                return
            self._spoil(fault, answer)

    def _spoil(self, fault: Fault | None, answer: Answer) -> None:
        if fault is Fault.LOST:
            self._reset()
        elif fault is Fault.HALF_CLOSE:
            self.connection.shutdown(socket.SHUT_WR)
            self.close_connection = True
        elif fault is Fault.TRUNCATED:
            self._answer(answer, body=answer.body[: len(answer.body) // 2])
            self.close_connection = True
        elif fault is Fault.SLOW_LORIS:
            self._drip()
        elif fault is Fault.SLOW_BODY:
            self._drip(content_length=len(answer.body) + 1)
        elif fault in _SPOILT:
            self._answer(_SPOILT[fault](answer))
        else:
            self._answer(answer)

    def _answer(self, answer: Answer, *, body: bytes | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in _end_to_end(answer.headers):
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if body is None else body)

    def _reset(self) -> None:
        # Closing with a linger of zero sends RST in place of FIN (socket(7)).
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _drip(self, *, content_length: int | None = None) -> None:
        self.send_response_only(HTTPStatus.OK)
        if content_length is not None:
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(content_length))
            self.end_headers()
        self.flush_headers()
        # Until the caller has had enough.
        while content_length is None or content_length > 0:
            self.wfile.write(b"x-drip: 1\r\n" if content_length is None else b" ")
            content_length = None if content_length is None else content_length - 1
            time.sleep(_DRIP_SECONDS)

    def _forward(self, body: bytes) -> Answer:
        with closing(http.client.HTTPConnection(urlsplit(self._proxy.backend).netloc)) as connection:
            connection.request(self.command, self.path, body or None, dict(_end_to_end(self.headers.items())))
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_CONNECTION]


def _json(status: int, words: str, *headers: tuple[str, str]) -> Answer:
    body = json.dumps({"error": words, "message": words}).encode()
    return Answer(status, [("content-type", "application/json"), *headers], body)


_REFUSALS: Final = {
    Fault.TOO_MANY: _json(429, "too many requests", ("retry-after", "1")),
    Fault.BAD_GATEWAY: Answer(502, [("content-type", "text/html")], b"<html>bad gateway</html>"),
    Fault.EXPIRED: _json(401, "the token has expired"),
    Fault.REDIRECT: Answer(302, [("location", "http://sign-in.invalid/")], b""),
}

_SPOILT: Final[dict[Fault, Callable[[Answer], Answer]]] = {
    Fault.HTML: lambda answer: answer.having(b"<html>sign in</html>", content_type="text/html"),
    Fault.WRONG_TYPE: lambda answer: answer.having(answer.body, content_type="text/plain"),
    Fault.DUPLICATE_KEYS: lambda answer: answer.having(
        b'{"id": "a", "id": "b"}', content_type="application/json"
    ),
    Fault.HUGE: lambda answer: answer.having(b" " * _HUGE_BYTES, content_type="application/json"),
    Fault.GZIP: lambda answer: answer.having(gzip.compress(answer.body), content_encoding="gzip"),
    Fault.GZIP_BOMB: lambda answer: answer.having(
        gzip.compress(b" " * _HUGE_BYTES), content_type="application/json", content_encoding="gzip"
    ),
    Fault.BROKEN_GZIP: lambda answer: answer.having(b"\x1f\x8b no gzip", content_encoding="gzip"),
}
