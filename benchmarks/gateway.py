"""An HTTP proxy before a backend that counts the calls and can make them take their time."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

__all__ = ["Gateway", "open_gateway"]

_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@dataclass
class Gateway:
    """A proxy that is open.

    Attributes:
        endpoint: Its own base URL.
        calls: Method and path of every call so far, in the order of arrival.
    """

    endpoint: str
    calls: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def open_gateway(
    backend: str, *, delay_seconds: Callable[[str, str], float] = lambda *_: 0.0
) -> Iterator[Gateway]:
    """A gateway before the backend with this base URL.

    Args:
        backend: Where calls go.
        delay_seconds: How long a call of a method and path is held before it goes there.
    """
    peer = urlsplit(backend)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def _forward(self) -> None:
            gateway.calls.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            time.sleep(delay_seconds(self.command, self.path))
            with closing(http.client.HTTPConnection(peer.hostname or "", peer.port)) as connection:
                connection.request(self.command, self.path, body, dict(self.headers))
                reply = connection.getresponse()
                content = reply.read()
            self.send_response_only(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _forward  # noqa: N815  # the names that the base class looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        gateway = Gateway(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield gateway
        finally:
            server.shutdown()
