"""Clients that take their time, over real connections: each is given up, and nobody else waits for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from prism_iac.backend._connections import Patience, PatientProtocol
from prism_iac.backend._edge import LARGEST_HEAD_BYTES
from tests.contract.backend.live import eventually

REQUEST_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
MOST_CONNECTIONS = 20
LARGE = 32 << 20


class Quick(PatientProtocol):
    patience = Patience(
        request_seconds=REQUEST_SECONDS, answer_seconds=0.5, most_connections=MOST_CONNECTIONS
    )


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and answers with as many bytes as the path says."""
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.disconnect":
        return
    size = int(scope["path"][1:] or 0)
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(size)})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(
        app,
        port=0,
        http=Quick,
        lifespan="off",
        log_config=None,
        timeout_keep_alive=1,
        h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        limit_concurrency=MOST_CONNECTIONS,
    )
    server = uvicorn.Server(config)
    serving = threading.Thread(target=server.run)
    serving.start()
    eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    serving.join()


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)) as connection:
        yield connection


def is_given_up(connection: socket.socket, drip: bytes = b"") -> bool:
    """Whether the server ends a connection that goes on by a byte now and then."""
    connection.settimeout(0.1)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if drip:
                connection.sendall(drip)
            if not connection.recv(1 << 16):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def is_served(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}/1").content == b"\0"


@pytest.mark.parametrize(
    ("beginning", "drip"),
    [
        (b"", b""),
        (b"GET /0 HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n"),
        (b"POST /0 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"POST /0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"GET /0 HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    ],
    ids=["nothing", "a head that drips", "a body that drips", "chunks that drip", "idle after an answer"],
)
def test_a_client_that_does_not_come_to_an_end_is_given_up(port: int, beginning: bytes, drip: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(beginning)
        assert is_given_up(connection, drip)
    assert is_served(port)


def test_a_client_that_does_not_read_its_answer_is_given_up(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(f"GET /{LARGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(1)
        threading.Event().wait(3)  # longer than the server waits for a reader
        received = 1
        connection.settimeout(PATIENCE_SECONDS)
        try:
            while block := connection.recv(1 << 16):
                received += len(block)
        except ConnectionError:
            pass
    assert received < LARGE


def test_a_large_answer_is_whole_for_whoever_reads_it(port: int) -> None:
    assert len(httpx.get(f"http://127.0.0.1:{port}/{LARGE}").content) == LARGE


def test_a_connection_serves_request_after_request(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        until = time.monotonic() + 3 * REQUEST_SECONDS
        while time.monotonic() < until:
            assert client.post("/1", content=b"x" * 1000).status_code == 200


def test_a_head_without_an_end_is_refused(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /0 HTTP/1.1\r\nHost: x\r\nX: " + b"x" * LARGEST_HEAD_BYTES)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 400 ")


def test_too_many_connections_are_answered_or_cut_off_and_leave_no_trace(port: int) -> None:
    many = [
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) for _ in range(2 * MOST_CONNECTIONS)
    ]
    try:
        with pytest.raises((httpx.HTTPStatusError, httpx.TransportError)):
            httpx.get(f"http://127.0.0.1:{port}/0").raise_for_status()
    finally:
        for connection in many:
            connection.close()
    eventually(lambda: is_served(port))
