"""A server that keeps pull requests and their comments as GitHub and GitLab do."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm

TOKEN: Final = "token-of-the-job"
LIST: Final = re.compile(r"(/repos/o/r/issues/7/comments|/projects/3/merge_requests/7/notes)")
PULLS: Final = re.compile(r"(?:/repos/o/r/pulls|/projects/3/merge_requests)(?:/(\d+))?")
ONE: Final = re.compile(r"(?:/repos/o/r/issues/comments|/projects/3/merge_requests/7/notes)/(\d+)")


@dataclass(frozen=True)
class Refusal:
    """A reply to the next call of a method, instead of what was asked for."""

    method: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "no"
    does_it: bool = False
    """The reply is lost, the work is done."""


@dataclass
class StandIn:
    """What the forge knows, and what it is to do wrong."""

    url: str = ""
    login: str = "github-actions[bot]"
    knows_the_token: bool = True
    comments: dict[int, tuple[str, str]] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    """The open pull requests by number, with the commit that each ends in."""
    closed: set[int] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before_create: Callable[[], None] = lambda: None
    before_edit: Callable[[], None] = lambda: None
    last: int = 0
    key: RSAPrivateKey | None = None
    """What ID tokens are signed with."""
    claims: dict[str, Any] = field(default_factory=dict)
    """What the ID token of the job says, besides for whom it is."""
    issuer: str = ""
    """What the discovery document says; the URL when empty."""
    keys_at: str = ""
    """Where it says that the keys are; here when empty."""

    def add(self, body: str, *, author: str | None = None) -> int:
        self.last += 1
        self.comments[self.last] = (author or self.login, body)
        return self.last

    @property
    def bodies(self) -> list[str]:
        return [body for _, body in self.comments.values()]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET")]

    def github(self) -> dict[str, str]:
        return {
            "GITLAB_CI": "",
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_TOKEN": TOKEN,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/identity?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": TOKEN,
        }

    def gitlab(self) -> dict[str, str]:
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": TOKEN,
        }

    def token(self, audience: str, **claims: Any) -> str:
        assert self.key is not None
        said = {"iss": self.url, "aud": audience, **self.claims, **claims}
        return jwt.encode(said, self.key, algorithm="RS256", headers={"kid": "1"})

    def public(self, path: str) -> Any:
        """What the forge says to everybody as an issuer of ID tokens."""
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.issuer or self.url, "jwks_uri": self.keys_at or f"{self.url}/keys"}
        if path == "/keys" and self.key is not None:
            public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [{**public, "kid": "1", "use": "sig"}]}
        return None

    def answer(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        url = urlsplit(path)
        if url.path == "/user":
            named = {"login": self.login, "username": self.login}
            return (200, named) if self.knows_the_token else (403, {"message": "not by integration"})
        query = parse_qs(url.query)
        if url.path == "/identity":
            return 200, {"value": self.token(query["audience"][0])}
        if pulls := PULLS.fullmatch(url.path):
            return self._about_pulls(pulls[1], query)
        if LIST.fullmatch(url.path):
            return self._about_comments(method, document, query)
        return self._about_one_comment(method, url.path, document)

    def _about_comments(self, method: str, document: Any, query: Mapping[str, list[str]]) -> tuple[int, Any]:
        if method == "POST":
            self.before_create()
            return 201, {"id": self.add(document["body"])}
        listed = [
            {"id": id_, "body": body, "user": {"login": author}, "author": {"username": author}}
            for id_, (author, body) in self.comments.items()
        ]
        return 200, _page(listed, query)

    def _about_one_comment(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        found = ONE.fullmatch(path)
        if method in ("PATCH", "PUT"):
            self.before_edit()
        if not found or int(found[1]) not in self.comments:
            return 404, {"message": "Not Found"}
        if method == "DELETE":
            del self.comments[int(found[1])]
            return 204, None
        self.comments[int(found[1])] = (self.comments[int(found[1])][0], document["body"])
        return 200, {}

    def _about_pulls(self, one: str | None, query: Mapping[str, list[str]]) -> tuple[int, Any]:
        if one:
            number = int(one)
            known = number in self.heads or number in self.closed
            return (200, self._pull(number)) if known else (404, {"message": "Not Found"})
        assert query["state"] in (["open"], ["opened"])
        return 200, _page([self._pull(number) for number in self.heads], query)

    def _pull(self, number: int) -> dict[str, Any]:
        """One with the fields of both forges."""
        head = self.heads.get(number, "")
        is_closed = number in self.closed
        return {
            "number": number,
            "iid": number,
            "state": "closed" if is_closed else "open",
            "head": {"sha": head},
            "sha": head,
        }


def _page(items: list[Any], query: Mapping[str, list[str]]) -> list[Any]:
    size, page = min(int(query["per_page"][0]), 100), int(query["page"][0])
    return items[(page - 1) * size : page * size]


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """The server, while it runs."""
    forge = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            document = json.loads(self.rfile.read(length)) if length else None
            forge.calls.append(f"{self.command} {self.path}")
            refusal = next((one for one in forge.refusals if one.method == self.command), None)
            headers: Mapping[str, str] = {}
            status: int
            answer: Any
            given = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization") or ""
            if (said := forge.public(self.path)) is not None:
                status, answer = 200, said
            elif given.removeprefix("Bearer ") != TOKEN:
                status, answer = 401, {"message": "Bad credentials"}
            elif refusal:
                forge.refusals.remove(refusal)
                if refusal.does_it:
                    forge.answer(self.command, self.path, document)
                status, answer, headers = refusal.status, {"message": refusal.message}, refusal.headers
            else:
                status, answer = forge.answer(self.command, self.path, document)
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815  # names of the library

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # name of the library
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        forge.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()
