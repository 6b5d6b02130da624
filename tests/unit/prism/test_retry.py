"""A call is repeated where a repeat is safe, for as long as it may take, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest

from prism_iac.model import AssetKind, Platform
from prism_iac.prism import (
    ApiError,
    AssetContent,
    Limits,
    Unavailable,
    Workspace,
)
from prism_iac.prism._call import Reply
from prism_iac.prism._retry import pause_seconds, retry_after_seconds
from tests.unit.prism.support import (
    FakeTime,
    ScriptedPrism,
    client_of,
    ok,
    page,
    refused,
    tokens,
    workspace_of,
)

ASSET = AssetContent(AssetKind.DATASET, "flowers", "ab" * 32)

SAFE: dict[str, Callable[[Workspace], object]] = {
    "GET": lambda workspace: workspace.computations.get("c"),
    "GET of a list": lambda workspace: list(workspace.cvms.list()),
    "PUT": lambda workspace: workspace.computations.update("c", name="n", description="d"),
    "DELETE": lambda workspace: workspace.computations.delete("c"),
    "keyed create": lambda workspace: workspace.computations.create(
        name="n", description="d", idempotency_key="k"
    ),
    "keyed run": lambda workspace: workspace.computations.run("c", "v", idempotency_key="k"),
    "key upload": lambda workspace: workspace.computations.upload_key("c", "PEM"),
    "dry run": lambda workspace: workspace.computations.dry_run("c"),
    "link": lambda workspace: workspace.assets.link("a", "c"),
    "unlink": lambda workspace: workspace.assets.unlink("a", "c"),
    "revoke": lambda workspace: workspace.certificates.revoke("1"),
}
UNSAFE: dict[str, Callable[[Workspace], object]] = {
    "create without a key": lambda workspace: workspace.computations.create(name="n", description="d"),
    "asset without a key": lambda workspace: workspace.assets.create(ASSET),
    "VM without a key": lambda workspace: workspace.cvms.create(
        provider="external", vcpus=2, platform=Platform.SEV_SNP, name="n"
    ),
    "run without a key": lambda workspace: workspace.computations.run("c", "v"),
    "stop": lambda workspace: workspace.computations.stop("c"),
    "renew": lambda workspace: workspace.certificates.renew("1"),
    "issue": lambda workspace: workspace.certificates.issue("v"),
    "members": lambda workspace: workspace.roles.add_members("c", "r", ["u"]),
}
PASSING = [
    refused(429),
    refused(502),
    refused(503),
    refused(504),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("gone"),
    httpx.ReadTimeout("slow"),
    httpx.WriteError("broken pipe"),
]


def reply_for(name: str) -> httpx.Response:
    """A success that fits the call."""
    if name == "keyed run":
        return httpx.Response(200, json="r1")
    if name == "GET of a list":
        return page("cvms")
    return ok({"id": "c", "missing_items": {}})


def ids(value: object) -> str:
    return f"status {value.status_code}" if isinstance(value, httpx.Response) else type(value).__name__


@pytest.mark.fault(42)
@pytest.mark.parametrize("trouble", PASSING, ids=ids)
@pytest.mark.parametrize("name", SAFE)
def test_a_safe_call_is_repeated(name: str, trouble: httpx.Response | Exception) -> None:
    workspace, prism = workspace_of(trouble, trouble, reply_for(name))
    SAFE[name](workspace)
    assert len(prism.requests) == 3


@pytest.mark.fault(42)
@pytest.mark.parametrize("trouble", PASSING, ids=ids)
@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_call_is_made_once(name: str, trouble: httpx.Response | Exception) -> None:
    workspace, prism = workspace_of(trouble, ok({"id": "c"}))
    with pytest.raises(Unavailable) as caught:
        UNSAFE[name](workspace)
    assert len(prism.requests) == 1
    assert not caught.value.retry_is_safe or caught.value.status == 429


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.ProxyError("503")], ids=ids
)
@pytest.mark.parametrize("name", [*SAFE, *UNSAFE])
def test_what_was_not_sent_is_sent_again_whatever_it_is(name: str, trouble: Exception) -> None:
    replies = {"run without a key": httpx.Response(200, json="r"), "issue": ok({"serial_number": "1"})}
    workspace, prism = workspace_of(trouble, replies.get(name, reply_for(name)))
    (SAFE | UNSAFE)[name](workspace)
    assert len(prism.requests) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 415, 422, 500, 501])
@pytest.mark.parametrize("name", SAFE)
def test_a_refusal_is_not_asked_for_again(name: str, status: int) -> None:
    workspace, prism = workspace_of(refused(status), reply_for(name))
    with suppress(ApiError):
        SAFE[name](workspace)
    assert len(prism.requests) == 1


@pytest.mark.fault(42)
def test_where_keys_are_not_kept_a_keyed_create_is_made_once() -> None:
    workspace, prism = workspace_of(refused(503), ok({"id": "c"}), honours_keys=False)
    with pytest.raises(Unavailable):
        workspace.computations.create(name="n", description="d", idempotency_key="k")
    assert len(prism.requests) == 1


def test_every_attempt_carries_the_same_idempotency_key() -> None:
    workspace, prism = workspace_of(refused(503), refused(502), ok({"id": "c"}))
    workspace.computations.create(name="n", description="d", idempotency_key="9c41d2e7f0a3.0")
    assert [request.headers["idempotency-key"] for request in prism.requests] == ["9c41d2e7f0a3.0"] * 3


def test_d17_a_lost_reply_to_a_delete_and_then_404_is_success() -> None:
    workspace, prism = workspace_of(httpx.ReadError("reset"), refused(404))
    workspace.computations.delete("c")
    assert len(prism.requests) == 2


def test_pauses_grow_with_full_jitter_up_to_a_ceiling() -> None:
    time = FakeTime()
    workspace, _ = workspace_of(*[refused(503)] * 9, ok({"id": "c"}), time=time)
    workspace.computations.get("c")
    assert time.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0])
    assert pause_seconds(3, None, lambda: 0.25) == pytest.approx(0.2)
    assert pause_seconds(3, None, lambda: 0.0) == 0.0


def test_retry_after_in_seconds_is_waited_for() -> None:
    time = FakeTime()
    workspace, _ = workspace_of(refused(429, headers={"Retry-After": "7"}), ok({"id": "c"}), time=time)
    workspace.computations.get("c")
    assert time.pauses == [7.0]


@pytest.mark.fault(44)
def test_retry_after_as_a_date_is_measured_by_the_clock_of_the_server() -> None:
    time = FakeTime()
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:09 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    workspace, _ = workspace_of(refused(503, headers=headers), ok({"id": "c"}), time=time)
    workspace.computations.get("c")
    assert time.pauses == [9.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 3 "}, 3.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:09 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:09 GMT", "date": "never"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "Wed, 21 Oct 2015 07:28:09 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:09 -0000", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 9.0),
        ({"retry-after": "Mon, 99 Foo 99999999999999 99:99:99 GMT", "date": "x"}, None),
    ],
)
def test_retry_after_is_read_or_ignored(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(Reply(503, headers, b"")) == seconds


def test_a_wait_beyond_the_deadline_ends_the_call_at_once() -> None:
    time = FakeTime()
    workspace, prism = workspace_of(refused(429, headers={"Retry-After": "3600"}), time=time)
    with pytest.raises(Unavailable) as caught:
        workspace.computations.get("c")
    assert (len(prism.requests), time.pauses, caught.value.status) == (1, [], 429)


def test_a_storm_of_502_ends_with_the_deadline() -> None:
    time = FakeTime()
    workspace, prism = workspace_of(refused(502), time=time, limits=Limits(total_seconds=20))
    with pytest.raises(Unavailable, match="status 502"):
        workspace.computations.get("c")
    assert sum(time.pauses) < 20
    assert len(prism.requests) == len(time.pauses) + 1 > 5


def test_it_is_remembered_that_an_earlier_attempt_may_have_happened() -> None:
    lost, refused_connection = httpx.ReadError("reset"), httpx.ConnectError("refused")
    workspace, _ = workspace_of(lost, refused_connection, limits=Limits(total_seconds=2))
    with pytest.raises(Unavailable) as caught:
        workspace.computations.create(name="n", description="d", idempotency_key="k")
    assert caught.value.may_have_happened
    assert "It may have been done all the same." in str(caught.value)


def test_what_was_never_sent_has_not_happened() -> None:
    workspace, _ = workspace_of(httpx.ConnectError("refused"), limits=Limits(total_seconds=2))
    with pytest.raises(Unavailable, match="could not connect") as caught:
        workspace.computations.create(name="n", description="d")
    assert not caught.value.may_have_happened
    assert caught.value.retry_is_safe


def test_a_login_is_repeated_too() -> None:
    replies = [refused(503), tokens("a", "r")]

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/users/tokens/issue":
            return replies.pop(0)
        return page("domains")

    assert list(client_of(respond).domains.list()) == []


def test_the_script_counts_its_calls() -> None:
    prism = ScriptedPrism([page("cvms")])
    client_of(prism).workspace("d").cvms.delete("v")
    assert (prism.logins, len(prism.requests)) == (1, 1)
