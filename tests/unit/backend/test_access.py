"""Nobody is let in: every operation, asked by everybody, about every workspace, with every kind of token.

`access.ACCESS` is the one table. What a request would change is rolled back, so that each finds the same world.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import jwt
import pytest
from argon2 import Type, extract_parameters
from httpx import Response
from sqlalchemy import event
from sqlalchemy.orm import Session

from prism_iac.backend._logins import Passwords
from prism_iac.backend._tokens import TokenKind
from prism_iac.backend.store import users
from prism_iac.backend.store.users import User
from tests.unit.backend.access import ACCESS, EVERYBODY, PUBLIC, ROUTES, World, make_world, names_of
from tests.unit.backend.support import Prism, the_api

LETS_IN_BUT_REFUSES: Final = {"download_certificate": 401, "download_ca": 401}
"""What takes a download token besides, which the matrix does not have."""

WITHOUT_RULE: Final = {
    *("/docs", "/docs/oauth2-redirect", "/openapi.json", "/static-offline-docs"),
}
"""Pages about the API, which say nothing of anybody."""

ASKING: Final = ("outsider", "member", "owner", "dataset_provider", "workspace_admin")
"""Who asks for what is not theirs; platform administrators see every workspace."""

UNCOMPARED: Final = {"x-request-id", "content-length", "date"}


@pytest.fixture
def world(prism: Prism, monkeypatch: pytest.MonkeyPatch) -> World:
    world = make_world(prism)
    for name in ("suspended", "signed out"):
        world.people[name] = prism.person(name, is_platform_administrator=True)
    with prism.database.writing() as session:
        _user(session, "suspended").enabled = False
        _user(session, "signed out").sessions_from = prism.clock() + timedelta(hours=1)
    really = prism.database.writing

    @contextmanager
    def rolled_back() -> Iterator[Session]:
        with really() as session:
            yield session
            session.flush()
            session.expunge_all()
            session.rollback()

    monkeypatch.setattr(prism.database, "writing", rolled_back)
    return world


def test_every_operation_that_the_api_describes_is_in_the_table() -> None:
    paths: dict[str, dict[str, Any]] = the_api().openapi()["paths"]
    described = {
        operation["operationId"].removesuffix(f"_{method}")
        for methods in paths.values()
        for method, operation in methods.items()
    }
    assert ACCESS.keys() | PUBLIC == described == ROUTES.keys()
    assert not ACCESS.keys() & PUBLIC
    unguarded = {route.path for route in the_api().routes if route not in ROUTES.values()}  # type: ignore[attr-defined]  # every kind of route has a path
    assert unguarded - {route.path for route in ROUTES.values()} == WITHOUT_RULE


def test_everybody_is_let_in_where_the_table_says_and_nowhere_else(world: World) -> None:
    wrong = []
    for operation, allowed in ACCESS.items():
        for name in sorted(EVERYBODY):
            status = world.call(operation, world.bearer(name)).status_code
            is_hidden = name == "outsider" and "{domain_id}" in ROUTES[operation].path
            refusal = 404 if is_hidden else 403
            if name not in allowed:
                is_right = status == refusal
            elif operation in LETS_IN_BUT_REFUSES:
                is_right = status == LETS_IN_BUT_REFUSES[operation]
            else:
                is_right = status not in (401, 403, 500)
            if not is_right:
                wrong.append(f"{operation} by {name}: {status}")
    assert not wrong


def test_another_workspace_looks_like_one_that_is_not_there(world: World) -> None:
    asked = [name for name, route in ROUTES.items() if name in ACCESS and "{domain_id}" in route.path]
    differing = []
    for operation in asked:
        for name in ASKING:
            there = _seen(world, operation, name, world.others)
            nowhere = _seen(world, operation, name, world.unknown)
            assert there[0] == 404, f"{operation} by {name}: {there}"
            if there != nowhere:
                differing.append((operation, name, there, nowhere))
    assert not differing


@pytest.mark.parametrize("name", [*ASKING[1:], "platform_admin"])
def test_a_thing_of_another_workspace_looks_like_one_that_is_not_there(world: World, name: str) -> None:
    differing = []
    for kind in sorted(world.others.keys() - {"domain_id"}):
        if world.others[kind] == world.own[kind]:
            continue
        for operation in (operation for operation in ACCESS if kind in names_of(operation)):
            there = _seen(world, operation, name, world.own | {kind: world.others[kind]})
            nowhere = _seen(world, operation, name, world.own | {kind: world.unknown[kind]})
            if there != nowhere:
                differing.append((operation, kind, there, nowhere))
    assert not differing


def test_nobody_gets_anywhere_without_a_token_that_counts(world: World) -> None:
    let_in = []
    for kind, token in _worthless_tokens(world).items():
        answers = {operation: world.call(operation, token) for operation in ACCESS}
        let_in += [
            f"{operation}: {kind}" for operation, answer in answers.items() if not _is_turned_away(answer)
        ]
        # Nothing tells which operations there are, or for whom.
        assert len({answer.text for answer in answers.values()}) == 1, kind
    assert not let_in


def test_a_token_of_another_algorithm_is_refused_although_the_key_is_right(world: World) -> None:
    prism = world.prism
    good = world.people["workspace_admin"].token
    claims = jwt.decode(good, options={"verify_signature": False})
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    weaker = jwt.encode(claims, b"s" * 64, algorithm="HS256")
    for token in (weaker, f"{unsigned}.{good.split('.')[1]}."):
        assert _is_turned_away(world.call("get_profile", f"Bearer {token}"))
    again = jwt.encode(claims, b"s" * 64, algorithm="HS512")
    assert prism.services.tokens.verify(again, TokenKind.ACCESS).user_id == claims["sub"]


def test_passwords_are_kept_as_argon2id_at_no_less_than_rfc_9106_asks_for_memory() -> None:
    kept = extract_parameters(Passwords().hash("correct horse battery"))
    assert kept.type is Type.ID
    assert kept.memory_cost >= 64 * 1024
    assert kept.time_cost >= 3


def _worthless_tokens(world: World) -> dict[str, str | None]:
    """What could be sent in the place of a token, by its kind; each but for one flaw an administrator's."""
    prism, person = world.prism, world.people["workspace_admin"]
    head, claims, signature = person.token.split(".")
    stranger = jwt.encode(
        jwt.decode(person.token, options={"verify_signature": False}), b"t" * 64, algorithm="HS512"
    )
    suspended = world.people["suspended"].token
    prism.clock.now -= timedelta(hours=1)
    expired = prism.token_of(person)
    prism.clock.now += timedelta(hours=1)
    texts = {
        "another scheme": f"Basic {person.token}",
        "no token": "Bearer ",
        "no JWT": "Bearer x.y.z",
        "expired": f"Bearer {expired}",
        "another key": f"Bearer {stranger}",
        "no signature": f"Bearer {head}.{claims}.",
        "another's claims": f"Bearer {head}.{suspended.split('.')[1]}.{signature}",
        "a refresh token": f"Bearer {prism.services.tokens.issue(person.id, TokenKind.REFRESH)}",
        "of a suspended user": f"Bearer {suspended}",
        "of a session that ended": world.bearer("signed out"),
        "of a user who is gone": f"Bearer {prism.services.tokens.issue('gone', TokenKind.ACCESS)}",
    }
    return {"nothing": None, **texts}


def _user(session: Session, name: str) -> User:
    user = users.find_by_login(session, name)
    assert user is not None
    return user


def _is_turned_away(answer: Response) -> bool:
    return answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"


def _seen(world: World, operation: str, name: str, path: dict[str, str]) -> tuple[int, str, list[str], int]:
    """What an answer shows of whether something is there: how many questions it took to the database, too."""
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(world.prism.database.engine, "before_cursor_execute", counted)
    try:
        answer = world.call(operation, world.bearer(name), path)
    finally:
        event.remove(world.prism.database.engine, "before_cursor_execute", counted)
    text = answer.text
    for kind, value in path.items():
        if len(value) > len("sev-snp"):
            text = text.replace(value, kind)
    return answer.status_code, text, sorted(answer.headers.keys() - UNCOMPARED), count
