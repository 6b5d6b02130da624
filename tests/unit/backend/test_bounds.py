"""Bounds of what requests and agents carry: depth, sizes, numbers of items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from prism_iac.backend._edge import LARGEST_BODY_OF_STRANGERS_BYTES, LARGEST_HEAD_BYTES
from prism_iac.backend._errors import TooManyAttempts, Unauthenticated
from prism_iac.backend._logins import LoginBrake
from prism_iac.backend.records.fields import DEEPEST_METADATA, LARGEST_METADATA_BYTES
from prism_iac.backend.store import Database
from tests.unit.backend.support import ManualClock, Person, Prism, Workspace

JSON = {"Content-Type": "application/json"}


def nested(depth: int) -> bytes:
    return b'{"metadata": ' + b'{"a": ' * depth + b"1" + b"}" * depth + b"}"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (nested(100_000), ""),
        (nested(DEEPEST_METADATA + 1), f"more than {DEEPEST_METADATA} levels"),
        (b'{"metadata": {"a": ' + b"9" * 100_000 + b"}}", ""),
        (b'{"metadata": {"a": 1e999}}', "a number or a character that JSON has not"),
        (b'{"metadata": {"a": NaN}}', "a number or a character that JSON has not"),
        (b'{"metadata": {"a": "\\ud800"}}', "a number or a character that JSON has not"),
        (b'{"metadata": {"a": "\\u0000"}}', "holds a NUL character"),
        (b'{"metadata": {"a": "\xff"}}', ""),
        (
            json.dumps({"metadata": {"a": "x" * LARGEST_METADATA_BYTES}}).encode(),
            f"{LARGEST_METADATA_BYTES} bytes",
        ),
        (json.dumps({"tags": ["x"] * 65}).encode(), "tags"),
    ],
    ids=[
        "too deep to read",
        "too deep",
        "digits",
        "infinite",
        "no number",
        "surrogate",
        "NUL",
        "no UTF-8",
        "large",
        "many",
    ],
)
def test_a_body_that_lists_could_not_show_again_is_refused(ada: Person, body: bytes, why: str) -> None:
    refused = ada.call("PATCH", f"/users/{ada.id}", content=body, headers=JSON)
    assert refused.status_code == 400
    assert why in refused.json()["message"]
    assert ada.ok("GET", "/users")["users"][0]["metadata"] == {}


def test_metadata_within_the_bounds_comes_back_as_it_was(ada: Person) -> None:
    deep = json.loads(nested(DEEPEST_METADATA))["metadata"]
    for metadata in (deep, {"text": r"a backslash and \u0000 in letters"}):
        ada.ok("PATCH", f"/users/{ada.id}", {"metadata": metadata})
        assert ada.ok("GET", "/users/profile")["metadata"] == metadata


def test_a_role_takes_so_many_members_and_actions_at_once(ada: Person, lab: Workspace) -> None:
    for field, most in (("optional_members", 1000), ("optional_actions", 64)):
        body = {"role_name": "many", field: ["x"] * (most + 1)}
        assert ada.post(f"{lab.domain}/roles", body).status_code == 400, field


def test_strangers_send_little(prism: Prism) -> None:
    body = {"username": "ada", "password": "x", "more": "y" * LARGEST_BODY_OF_STRANGERS_BYTES}
    assert prism.client.post("/users/tokens/issue", json=body).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY_OF_STRANGERS_BYTES // 65536 + 2):
            yield b" " * 65536

    assert prism.client.post("/users/tokens/issue", content=chunks(), headers=JSON).status_code == 413


def test_a_head_has_a_size(prism: Prism) -> None:
    large = "x" * LARGEST_HEAD_BYTES
    for refused in (
        prism.client.get("/health", headers={"X-Large": large}),
        prism.client.get("/health", params={"name": large}),
    ):
        assert refused.status_code == 400
        assert f"more than {LARGEST_HEAD_BYTES} bytes" in refused.json()["message"]


def refusals(brake: LoginBrake, clock: ManualClock, account: str = "ada") -> timedelta | None:
    """How long to wait before an attempt that fails; None where it is heard."""
    wrong = Unauthenticated("the password is wrong")
    with pytest.raises((Unauthenticated, TooManyAttempts)) as refused, brake.attempt(account, now=clock()):
        raise wrong
    return refused.value.retry_after


def test_the_brake_slides_over_time_and_opens_as_failures_grow_old(database: Database) -> None:
    brake, clock = LoginBrake(database), ManualClock()
    for _ in range(LoginBrake.ATTEMPTS):
        assert refusals(brake, clock) is None
        clock.advance(seconds=20)
    # The first of ten was 200 seconds ago, so it counts for 100 more.
    wait = refusals(brake, clock)
    assert wait is not None
    assert 99 < wait.total_seconds() <= 100
    assert refusals(LoginBrake(database), clock) is not None, "another process counts on"
    clock.advance(seconds=wait.total_seconds())
    assert refusals(brake, clock) is None
    assert refusals(brake, clock) is not None, "one has grown old, one was heard since"
    assert refusals(brake, clock, "bob") is None
    clock.advance(seconds=LoginBrake.WINDOW.total_seconds())
    assert [refusals(brake, clock) for _ in range(LoginBrake.ATTEMPTS)] == [None] * LoginBrake.ATTEMPTS


def test_refused_attempts_prolong_nothing(database: Database) -> None:
    brake, clock = LoginBrake(database), ManualClock()
    while refusals(brake, clock) is None:
        pass
    for _ in range(40):
        clock.advance(seconds=7)
        refusals(brake, clock)
    clock.advance(seconds=20)
    assert refusals(brake, clock) is None


def test_a_success_forgets_the_failures(database: Database) -> None:
    brake, clock = LoginBrake(database), ManualClock()
    for _ in range(LoginBrake.ATTEMPTS - 1):
        assert refusals(brake, clock) is None
    with brake.attempt("ada", now=clock()):
        pass
    for _ in range(LoginBrake.ATTEMPTS):
        assert refusals(brake, clock) is None
    assert refusals(brake, clock) is not None
