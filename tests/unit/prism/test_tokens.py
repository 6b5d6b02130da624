"""One login, one renewal at a time, and one more attempt with what it gave."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from prism_iac.errors import InvalidInput
from prism_iac.prism import (
    Limits,
    PasswordCredentials,
    TokenCredentials,
    Unauthenticated,
    Unavailable,
    UnexpectedReply,
)
from tests.unit.prism.support import USER, client_of, ok, page, refused, sent_json, tokens

THREADS = 8


class TokenServer:
    """Accepts one access token at a time; gives the next on refresh or issue."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.given = 0
        self.expired = False
        self.log: list[str] = []
        self.refresh_reply: httpx.Response | Exception | None = None
        self.issue_reply: httpx.Response | None = None
        self.rendezvous: threading.Barrier | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        match request.url.path:
            case "/users/tokens/issue":
                return self._give("issue", self.issue_reply)
            case "/users/tokens/refresh":
                assert token == f"refresh-{self.given}"
                assert request.content == b""
                return self._give("refresh", self.refresh_reply)
            case path:
                if not self.expired and token == f"access-{self.given}":
                    return ok({"id": path.rpartition("/")[2]})
                if self.rendezvous is not None:
                    # Every thread holds the old token before the first of them learns so.
                    self.rendezvous.wait(timeout=10)
                return refused(401, "expired")

    def _give(self, name: str, instead: httpx.Response | Exception | None) -> httpx.Response:
        with self.lock:
            self.log.append(name)
            time.sleep(0.1)  # a slow server: whoever asks meanwhile must wait for this answer
            if isinstance(instead, Exception):
                raise instead
            if instead is not None:
                return httpx.Response(instead.status_code, content=instead.content, headers=instead.headers)
            self.given += 1
            self.expired = False
            self.rendezvous = None
            return tokens(f"access-{self.given}", f"refresh-{self.given}")


def test_d9_the_first_call_logs_in_with_user_name_and_password() -> None:
    bodies: list[object] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/users/tokens/issue":
            assert "authorization" not in request.headers
            bodies.append(sent_json(request))
            return tokens("a", "r")
        return page("domains")

    client = client_of(respond)
    list(client.domains.list())
    list(client.domains.list())
    assert bodies == [{"username": USER.username, "password": USER.password}]


def test_nothing_is_called_before_it_is_asked_for() -> None:
    server = TokenServer()
    with client_of(server) as client:
        client.workspace("d").computations.list()
    assert server.log == []


def test_a_token_to_begin_with_saves_the_login_until_it_is_refused() -> None:
    server = TokenServer()
    server.given = 1
    client = client_of(server, credentials=PasswordCredentials("ada", "secret", "access-1"))
    client.domains.get("d1")
    assert server.log == []
    server.expired = True
    assert client.domains.get("d2").id == "d2"
    assert server.log == ["issue"]


@pytest.mark.fault(43)
def test_d10_a_refused_token_is_refreshed_and_the_call_made_once_more() -> None:
    server = TokenServer()
    client = client_of(server)
    client.domains.get("d1")
    server.expired = True
    assert client.domains.get("d2").id == "d2"
    assert server.log == ["issue", "refresh"]


def test_d10_a_call_that_is_refused_with_the_new_token_too_fails() -> None:
    calls: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        if request.url.path.startswith("/users/tokens/"):
            return tokens(f"a{len(calls)}", "r")
        return refused(401, "never")

    with pytest.raises(Unauthenticated, match="never"):
        client_of(respond).domains.get("d1")
    assert calls == ["/users/tokens/issue", "/auth/domains/d1", "/users/tokens/refresh", "/auth/domains/d1"]


def test_a_run_without_a_key_is_made_again_when_its_token_was_refused() -> None:
    server = TokenServer()
    client = client_of(server)
    client.domains.get("d1")
    server.expired = True
    assert client.workspace("d").computations.run("c", "v") == "run"
    assert server.log == ["issue", "refresh"]


def test_eight_threads_with_an_expired_token_share_one_refresh() -> None:
    server = TokenServer()
    client = client_of(server)
    client.domains.get("d0")
    server.expired = True
    server.rendezvous = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda number: client.domains.get(f"d{number}").id, range(THREADS)))
    assert found == [f"d{number}" for number in range(THREADS)]
    assert server.log == ["issue", "refresh"]


def test_eight_threads_that_start_at_once_share_one_login() -> None:
    server = TokenServer()
    client = client_of(server)
    start = threading.Barrier(THREADS)

    def get(number: int) -> str:
        start.wait(timeout=10)
        return client.domains.get(f"d{number}").id

    with ThreadPoolExecutor(THREADS) as pool:
        assert len(list(pool.map(get, range(THREADS)))) == THREADS
    assert server.log == ["issue"]


def test_a_token_that_expires_between_two_pages_is_refreshed() -> None:
    pages = {"0": ["a", "b"], "1": ["b", "c"]}
    log: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        log.append(request.url.path)
        if request.url.path.startswith("/users/tokens/"):
            return tokens(request.url.path.rpartition("/")[2], "r")
        offset = request.url.params["offset"]
        if offset == "1" and request.headers["authorization"] == "Bearer issue":
            return refused(401, "expired")
        return ok({"domains": [{"id": id_} for id_ in pages[offset]], "total": 3})

    assert [domain.id for domain in client_of(respond).domains.list()] == ["a", "b", "c"]
    assert log.count("/users/tokens/refresh") == 1


@pytest.mark.fault(43)
@pytest.mark.parametrize("reply", [refused(401, "over"), refused(500), refused(404), httpx.Response(200)])
def test_where_the_refresh_fails_the_password_logs_in_again(reply: httpx.Response) -> None:
    server = TokenServer()
    client = client_of(server)
    client.domains.get("d1")
    server.expired = True
    server.refresh_reply = reply
    assert client.domains.get("d2").id == "d2"
    assert server.log == ["issue", "refresh", "issue"]


def test_where_nobody_answers_the_refresh_the_password_is_not_sent() -> None:
    server = TokenServer()
    client = client_of(server, limits=Limits(total_seconds=1))
    client.domains.get("d1")
    server.expired = True
    server.refresh_reply = httpx.ReadError("reset")
    with pytest.raises(Unavailable):
        client.domains.get("d2")
    assert server.log.count("issue") == 1


def test_where_the_login_fails_too_the_error_says_so() -> None:
    server = TokenServer()
    client = client_of(server)
    client.domains.get("d1")
    server.expired = True
    server.refresh_reply = refused(401, "over")
    server.issue_reply = refused(401, "wrong name or password")
    with pytest.raises(Unauthenticated, match="wrong name or password") as caught:
        client.domains.get("d2")
    assert caught.value.path == "/users/tokens/issue"


def test_a_failed_login_is_shared_and_the_next_call_logs_in_anew() -> None:
    server = TokenServer()
    server.issue_reply = refused(401, "not yet")
    client = client_of(server)
    with pytest.raises(Unauthenticated):
        client.domains.get("d1")
    server.issue_reply = None
    assert client.domains.get("d1").id == "d1"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"access_token": ""},
        {"access_token": "a\r\nX-Evil: 1"},
        {"access_token": "a", "refresh_token": "é"},
    ],
)
def test_a_token_reply_without_a_usable_token_is_refused(document: object) -> None:
    client = client_of(lambda _: ok(document, status=201))
    with pytest.raises(UnexpectedReply, match="token reply"):
        client.users.profile()


def test_d10_the_access_type_is_not_needed_and_may_be_there() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/users/tokens/"):
            return ok({"access_token": "a", "access_type": "Bearer"}, status=201)
        return ok({"id": "u1"})

    assert client_of(respond).users.profile().id == "u1"


def test_d12_a_ready_token_is_sent_as_it_is_and_nothing_is_issued() -> None:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return ok({"id": "u1"})

    client_of(respond, credentials=TokenCredentials("any.opaque~token")).users.profile()
    assert [request.headers["authorization"] for request in requests] == ["Bearer any.opaque~token"]


@pytest.mark.parametrize("text", ["", " hunter2", "hunter2\n", "Bearer hunter2", '"hunter2"', "hünter2"])
def test_a_text_that_can_be_no_token_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(InvalidInput, match="no bearer token") as caught:
        TokenCredentials(text)
    assert "nter2" not in str(caught.value)


def test_credentials_show_no_secret() -> None:
    assert "hunter2" not in repr(PasswordCredentials("ada", "hunter2"))
    assert "hunter2" not in repr(TokenCredentials("hunter2"))
