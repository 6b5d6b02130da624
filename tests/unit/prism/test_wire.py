"""Over real sockets: what hostile, broken and slow servers can do, and what they cannot."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpcore
import pytest

from prism_iac.prism import (
    ApiError,
    Limits,
    NotFound,
    PrismClient,
    TokenCredentials,
    Unavailable,
    UnexpectedReply,
)
from prism_iac.prism._deadline import DeadlineNetwork
from tests.unit.prism.raw_server import RawServer, response

USER = b'{"id": "u1"}'
QUICK = Limits(connect_seconds=2, reply_seconds=0.5, total_seconds=0.5, reply_bytes=100_000)


@contextmanager
def client_of(server: RawServer, limits: Limits = QUICK) -> Iterator[PrismClient]:
    with (
        server,
        PrismClient(server.endpoint, TokenCredentials("t"), limits=limits, jitter=lambda: 0.01) as client,
    ):
        yield client


def error_from(server: RawServer, limits: Limits = QUICK) -> ApiError:
    with client_of(server, limits) as client, pytest.raises(ApiError) as caught:
        client.users.profile()
    return caught.value


def test_a_whole_reply_is_read() -> None:
    server = RawServer(response(USER))
    with client_of(server) as client:
        assert client.users.profile().id == "u1"
    head = server.requests[0].decode()
    assert head.startswith("GET /users/profile HTTP/1.1\r\n")
    assert "Authorization: Bearer t\r\n" in head
    assert "User-Agent: prism-iac/" in head
    assert "Cookie" not in head


@pytest.mark.fault(41)
@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_drips_its_reply_is_left_at_the_deadline(part: str) -> None:
    whole = response(USER, headers={f"X-{number}": "y" * 50 for number in range(20)})
    head_end = whole.index(b"\r\n\r\n") + 4

    def talk(connection: socket.socket) -> None:
        start = 0 if part == "headers" else head_end
        connection.sendall(whole[:start])
        for byte in whole[start:]:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)  # the fault itself, not a wait for something

    began = time.monotonic()
    error = error_from(RawServer(talk))
    assert type(error) is Unavailable
    assert "no whole reply came in time" in str(error)
    assert time.monotonic() - began < 5


def test_every_wait_is_cut_to_what_is_left_of_the_exchange() -> None:
    network = DeadlineNetwork()
    with RawServer(response(USER)) as server, network.within(1):
        stream = network.connect_tcp("127.0.0.1", server.port, timeout=5)
        began = time.monotonic()
        with pytest.raises(httpcore.ReadTimeout):
            stream.read(1, timeout=60)
        stream.close()
    assert time.monotonic() - began < 10


def test_a_pause_that_lasted_longer_than_asked_leaves_no_time_for_a_repeat() -> None:
    time_of_day = iter((0.0, 0.0, 0.1, 0.6))  # the end is at 0.5
    with (
        RawServer(b"") as server,
        PrismClient(
            server.endpoint,
            TokenCredentials("t"),
            limits=QUICK,
            clock=lambda: next(time_of_day, 0.6),
            sleep=lambda _: None,
            jitter=lambda: 0.01,
        ) as client,
        pytest.raises(Unavailable, match="could not connect in time"),
    ):
        client.users.profile()
    assert len(server.requests) == 1


def test_a_server_that_says_nothing_is_left_at_the_deadline() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(1)

    error = error_from(RawServer(talk))
    assert type(error) is Unavailable


def test_nobody_listening_is_could_not_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        PrismClient(f"http://127.0.0.1:{port}", TokenCredentials("t"), limits=QUICK) as client,
        pytest.raises(Unavailable, match="could not connect: Connection refused"),
    ):
        client.users.profile()


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000,
    ],
    ids=[
        "nothing",
        "half a head",
        "not HTTP",
        "half a body",
        "half a chunk",
        "bad chunk",
        "bad length",
        "huge head",
    ],
)
def test_half_a_reply_is_no_reply(broken: bytes) -> None:
    assert type(error_from(RawServer(broken))) is Unavailable


def test_a_get_is_repeated_after_half_a_reply() -> None:
    server = RawServer(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", response(USER))
    with client_of(server) as client:
        assert client.users.profile().id == "u1"
    assert len(server.requests) == 2


def test_a_run_is_not_repeated_after_half_a_reply() -> None:
    server = RawServer(b"", response(b'"r1"'))
    with client_of(server) as client, pytest.raises(Unavailable) as caught:
        client.workspace("d").computations.run("c", "v")
    assert caught.value.may_have_happened
    assert len(server.requests) == 1


@pytest.mark.fault(41)
@pytest.mark.parametrize(
    "body",
    [b'{"id": "u1"', b'{"id": "u1", "id": "u2"}', b"<html></html>", b"\xff\xfe", b"[" * 90_000],
    ids=["truncated", "duplicate keys", "html", "bytes", "deep"],
)
def test_broken_json_is_an_error_of_the_endpoint(body: bytes) -> None:
    assert type(error_from(RawServer(response(body)))) is UnexpectedReply


def test_an_html_page_is_never_not_found() -> None:
    page = response(b"<html>404</html>", status="404 Not Found", headers={"Content-Type": "text/html"})
    assert type(error_from(RawServer(page))) is UnexpectedReply
    real = response(b'{"error": "no such user"}', status="404 Not Found")
    assert type(error_from(RawServer(real))) is NotFound


@pytest.mark.fault(41)
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_bound_is_not_taken(*, announced: bool) -> None:
    def talk(connection: socket.socket) -> None:
        length = "Content-Length: 1000000000\r\n" if announced else ""
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n".encode())
        for _ in range(1000):
            connection.sendall(b" " * 10_000)

    error = error_from(RawServer(talk), Limits(reply_bytes=100_000))
    assert type(error) is UnexpectedReply
    assert "longer than 100000 bytes" in str(error)


def test_a_gzip_reply_is_read() -> None:
    packed = response(gzip.compress(USER), headers={"Content-Encoding": "gzip"})
    with client_of(RawServer(packed)) as client:
        assert client.users.profile().id == "u1"


@pytest.mark.parametrize(
    ("body", "coding", "complaint"),
    [
        (gzip.compress(b" " * 50_000_000), "gzip", "longer than 100000 bytes"),
        (gzip.compress(USER)[:-4], "gzip", "breaks off"),
        (b"not gzip at all", "gzip", "not the gzip"),
        (USER, "br", "coding that was not asked for"),
    ],
    ids=["bomb", "truncated", "lie", "brotli"],
)
def test_a_packed_reply_that_cannot_be_had_is_an_error(body: bytes, coding: str, complaint: str) -> None:
    error = error_from(RawServer(response(body, headers={"Content-Encoding": coding})))
    assert type(error) is UnexpectedReply
    assert complaint in str(error)


def test_a_redirect_within_the_endpoint_is_followed() -> None:
    moved = response(b"", status="308 Permanent Redirect", headers={"Location": "/users/profile/"})
    server = RawServer(moved, response(USER))
    with client_of(server) as client:
        assert client.users.profile().id == "u1"
    assert server.requests[1].startswith(b"GET /users/profile/ HTTP/1.1")


def test_a_redirect_of_a_post_keeps_method_and_body() -> None:
    moved = response(b"", status="307 Temporary Redirect", headers={"Location": "?x=1"})
    server = RawServer(moved, response(b'{"id": "d1"}', status="201 Created"))
    with client_of(server) as client:
        assert client.domains.create(name="lab").id == "d1"
    assert server.requests[1].startswith(b"POST /auth/domains?x=1 HTTP/1.1")
    assert server.requests[1].endswith(b'{"name": "lab"}')


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other"])
def test_a_redirect_that_would_turn_a_post_into_a_get_is_not_followed(status: str) -> None:
    server = RawServer(response(b"", status=status, headers={"Location": "/elsewhere"}))
    with client_of(server) as client, pytest.raises(UnexpectedReply):
        client.domains.create(name="lab")
    assert len(server.requests) == 1


@pytest.mark.fault(41)
@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:{port}/steal", "https://evil.example/", "//evil.example/", "http://["]
)
def test_a_redirect_to_another_host_is_not_followed_and_no_token_goes_there(location: str) -> None:
    with RawServer(response(USER)) as thief:
        target = location.format(port=thief.port)
        server = RawServer(response(b"", status="302 Found", headers={"Location": target}))
        assert type(error_from(server)) is UnexpectedReply
        assert thief.requests == []


def test_redirects_in_a_circle_end() -> None:
    server = RawServer(response(b"", status="302 Found", headers={"Location": "/users/profile"}))
    error = error_from(server)
    assert "redirected in a circle" in str(error)
    assert len(server.requests) == 3


def test_cookies_are_not_kept() -> None:
    server = RawServer(response(USER, headers={"Set-Cookie": "session=someone"}))
    with client_of(server) as client:
        client.users.profile()
        client.users.profile()
    assert b"session" not in server.requests[1]


def test_threads_share_one_pool_of_connections() -> None:
    keep = response(USER, headers={"Connection": "keep-alive"})

    def talk(connection: socket.socket) -> None:
        connection.sendall(keep)
        while connection.recv(65536):
            connection.sendall(keep)

    server = RawServer(talk)
    with client_of(server, Limits(connections=3)) as client, ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: client.users.profile().id, range(60)))
    assert found == ["u1"] * 60
    # The pool now and then replaces a connection; without a pool there would be sixty.
    assert server.connections <= 12


def test_what_an_error_says_holds_neither_token_nor_query() -> None:
    error = error_from(RawServer(response(b'{"error": "no"}', status="403 Forbidden")))
    assert "Bearer" not in str(error)
    server = RawServer(response(b'{"error": "no"}', status="403 Forbidden"))
    with client_of(server) as client, pytest.raises(ApiError) as caught:
        client.workspace("d").certificates.download("v", "tok-77")
    assert "tok-77" not in str(caught.value)


def test_the_finest_log_of_every_library_holds_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = RawServer(
        response(b"{}", status="503 Busy"), response(b'{"error": "no"}', status="403 Forbidden")
    )
    with server, PrismClient(server.endpoint, TokenCredentials("tok-access"), jitter=lambda: 0.01) as client:
        with pytest.raises(ApiError):
            client.workspace("d").certificates.download("v", "tok-download")
        with pytest.raises(ApiError):
            client.users.register(
                email="a@b", username="a", password="tok-password", first_name="", last_name=""
            )
    assert "a call is repeated" in caplog.text
    assert "tok-" not in caplog.text
