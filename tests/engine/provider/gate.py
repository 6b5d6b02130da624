"""A gate before the embedded backend, at which a test stops calls of the provider."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

__all__ = ["Gate"]

_OF_ONE_CONNECTION: Final = frozenset({"connection", "transfer-encoding", "content-length", "host"})


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class Gate:
    """Stands where the backend says that it is found, and hands every call on to it.

    A context manager. Calls of one kind can be held: on their way there, so that nothing has happened yet,
    or on their way back, so that the work is done and the caller does not know.

    Attributes:
        backend: Where the backend really is, `host:port`.
        held: The calls that wait, `METHOD path`.
        calls: Every call that came, `METHOD path`.
    """

    def __init__(self, data: Path) -> None:
        self._instance = data / "backend" / "instance.json"
        self._told: dict[str, Any] = json.loads(self._instance.read_bytes())
        self._pattern: re.Pattern[str] | None = None
        self._open = threading.Event()
        self._holds_replies = False
        self.backend = urlsplit(self._told["rest_url"]).netloc
        self.held: list[str] = []
        self.calls: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        self._tell(f"http://127.0.0.1:{self._server.server_port}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._tell(self._told["rest_url"])
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def hold_calls(self, pattern: str) -> None:
        """Hold the calls whose `METHOD path` matches, before the backend hears of them."""
        self._hold(pattern, replies=False)

    def hold_replies(self, pattern: str) -> None:
        """Let the backend do its work and hold its replies to the calls whose `METHOD path` matches."""
        self._hold(pattern, replies=True)

    def release(self) -> None:
        """Let everything go that is held, and all that comes."""
        self._pattern = None
        self._open.set()

    def _hold(self, pattern: str, *, replies: bool) -> None:
        self.held = []
        self._holds_replies = replies
        self._open = threading.Event()
        self._pattern = re.compile(pattern)

    def _tell(self, url: str) -> None:
        self._instance.write_text(json.dumps({**self._told, "rest_url": url}), encoding="utf-8")

    def pass_on(self, call: str, forward: Callable[[], _Answer]) -> _Answer:
        """The backend's answer to a call, sooner or later."""
        self.calls.append(call)
        pattern, opened, replies = self._pattern, self._open, self._holds_replies
        if pattern is None or not pattern.search(call):
            return forward()
        answer = forward() if replies else None
        self.held.append(call)
        opened.wait()
        return answer or forward()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a caller."""

    protocol_version = "HTTP/1.1"

    def __init__(self, gate: Gate, *connection: Any) -> None:
        self._gate = gate
        super().__init__(*connection)

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed:
            # Every method is served alike.
            setattr(self, f"do_{self.command}", self._serve)
        return parsed

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        call = f"{self.command} {urlsplit(self.path).path}"
        answer = self._gate.pass_on(call, partial(self._forward, body))
        try:
            self.send_response_only(answer.status)
            for name, value in _end_to_end(answer.headers):
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            # The caller was killed meanwhile.
            self.close_connection = True

    def _forward(self, body: bytes) -> _Answer:
        with closing(http.client.HTTPConnection(self._gate.backend)) as connection:
            connection.request(self.command, self.path, body or None, dict(_end_to_end(self.headers.items())))
            response = connection.getresponse()
            return _Answer(response.status, response.getheaders(), response.read())


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_CONNECTION]
