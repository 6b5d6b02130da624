"""Which error a reply means, and that only Prism's own word is taken for "not found"."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from prism_iac.errors import Conflict, RemoteFailure
from prism_iac.prism import (
    AgentConfigRecord,
    AlreadyExists,
    ApiConflict,
    ApiError,
    DryRun,
    NotFound,
    PermissionDenied,
    PrismClient,
    Rejected,
    TokenCredentials,
    Unauthenticated,
    Unavailable,
    UnexpectedReply,
    Workspace,
)
from tests.unit.prism.support import USER, client_of, ok, refused, workspace_of

HTML = httpx.Response(404, html="<html>Not Found</html>")


def error_of(*replies: httpx.Response | Exception) -> ApiError:
    workspace, _ = workspace_of(*replies)
    with pytest.raises(ApiError) as caught:
        workspace.computations.get("c1")
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (403, PermissionDenied),
        (404, NotFound),
        (409, ApiConflict),
        (413, Rejected),
        (415, Rejected),
        (422, Rejected),
        (500, Unavailable),
        (501, Unavailable),
        (402, UnexpectedReply),
        (410, UnexpectedReply),
        (418, UnexpectedReply),
        (300, UnexpectedReply),
        (304, UnexpectedReply),
    ],
)
def test_a_status_means_a_class_of_error(status: int, kind: type[ApiError]) -> None:
    error = error_of(refused(status, "because"))
    assert type(error) is kind
    assert isinstance(error, RemoteFailure)
    assert (error.status, error.method, error.path) == (status, "GET", "/computations/d0/computations/c1")
    assert error.server_message == "because"


def test_d4_the_message_has_what_where_and_the_next_step() -> None:
    reply = httpx.Response(409, json={"error": "conflict", "message": "the name is taken"})
    assert str(error_of(reply)) == (
        "GET https://prism.example/computations/d0/computations/c1: "
        "refused with status 409: conflict: the name is taken\n"
        "  Look at what stands there, and decide which of the two should give way."
    )


def test_d4_an_error_that_its_message_repeats_is_shown_once() -> None:
    reply = httpx.Response(409, json={"error": "it is taken", "message": "it is taken. Choose another."})
    assert error_of(reply).server_message == "it is taken. Choose another."


def test_d4_raw_text_is_shown_where_there_is_no_error_object() -> None:
    error = error_of(httpx.Response(403, text="RBAC: access\r\n denied\n"))
    assert type(error) is PermissionDenied
    assert error.server_message == "RBAC: access denied"


def test_the_request_id_is_kept_for_the_log_and_not_printed() -> None:
    error = error_of(refused(403, headers={"X-Request-Id": "7f3a"}))
    assert error.request_id == "7f3a"
    assert "7f3a" not in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        HTML,
        httpx.Response(404, text="404 page not found"),
        httpx.Response(404),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(404, json=["error"]),
        httpx.Response(404, json={"error": 7}),
        httpx.Response(404, text='{"error": "not found"}'),
        httpx.Response(404, content=b'{"error": "not fou', headers={"Content-Type": "application/json"}),
    ],
    ids=["html", "text", "empty", "other framework", "list", "number", "no content type", "truncated"],
)
def test_a_404_that_is_not_prisms_is_never_not_found(reply: httpx.Response) -> None:
    assert type(error_of(reply)) is UnexpectedReply


def test_a_delete_does_not_take_a_foreign_404_for_success() -> None:
    workspace, _ = workspace_of(HTML)
    with pytest.raises(UnexpectedReply):
        workspace.computations.delete("c1")


def test_a_404_is_not_found_in_any_json_media_type() -> None:
    headers = {"Content-Type": "application/problem+json; charset=utf-8"}
    assert type(error_of(httpx.Response(404, content=b'{"error": "x"}', headers=headers))) is NotFound


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refusal_on_an_html_page_is_not_prisms(status: int) -> None:
    assert type(error_of(httpx.Response(status, html="<h1>Blocked</h1>"))) is UnexpectedReply


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(200, text="ok"),
        httpx.Response(200),
        httpx.Response(200, content=b'{"id": "c1"', headers={"Content-Type": "application/json"}),
        httpx.Response(
            200, content=b'{"id": "c1", "id": "c2"}', headers={"Content-Type": "application/json"}
        ),
        httpx.Response(200, json={"name": "no id"}),
        httpx.Response(200, json=[]),
    ],
    ids=["html", "text", "empty", "truncated", "duplicate keys", "no id", "list"],
)
def test_a_success_that_says_nothing_is_an_error(reply: httpx.Response) -> None:
    assert type(error_of(reply)) is UnexpectedReply


def test_a_login_page_with_status_200_is_no_successful_update() -> None:
    workspace, _ = workspace_of(httpx.Response(200, html="<html>Sign in</html>"))
    with pytest.raises(UnexpectedReply, match="no JSON") as caught:
        workspace.computations.update("c1", name="n", description="d")
    assert caught.value.may_have_happened


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_d3_any_2xx_without_a_body_is_success(status: int) -> None:
    workspace, _ = workspace_of(ok(status=status))
    workspace.computations.update("c1", name="n", description="d")
    workspace.computations.delete("c1")
    workspace.computations.stop("c1")
    workspace.assets.link("a", "c")
    workspace.certificates.renew("1")


def test_a_conflict_is_also_the_conflict_of_the_package() -> None:
    assert isinstance(error_of(refused(409)), Conflict)


def test_a_conflict_of_a_create_means_that_it_is_there() -> None:
    workspace, _ = workspace_of(refused(409, "the name is taken"))
    with pytest.raises(AlreadyExists, match="the name is taken"):
        workspace.computations.create(name="n", description="d")


def test_a_conflict_of_a_run_means_that_the_vm_is_not_ready() -> None:
    workspace, _ = workspace_of(refused(409, "the CVM is busy"))
    with pytest.raises(ApiConflict) as caught:
        workspace.computations.run("c", "v")
    assert not isinstance(caught.value, AlreadyExists)


def test_d18_a_refused_run_carries_what_is_missing() -> None:
    missing = {"keys": ["u1"], "hashes": [], "info": ["nobody holds algo_provider"]}
    workspace, _ = workspace_of(ok({"error": "not runnable", "missing_items": missing}, status=422))
    with pytest.raises(Rejected) as caught:
        workspace.computations.run("c", "v")
    assert caught.value.dry_run == DryRun(keys=("u1",), info=("nobody holds algo_provider",))


@pytest.mark.parametrize("missing", [7, {"keys": 1}])
def test_a_refusal_with_a_broken_dry_run_is_still_a_refusal(missing: object) -> None:
    workspace, _ = workspace_of(ok({"error": "no", "missing_items": missing}, status=422))
    with pytest.raises(Rejected) as caught:
        workspace.computations.run("c", "v")
    assert caught.value.dry_run is None


def test_a_refused_token_without_password_is_a_clear_error_after_one_call() -> None:
    calls: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return refused(401, "token expired")

    client = client_of(respond, credentials=TokenCredentials("opaque"))
    with pytest.raises(Unauthenticated, match="token expired"):
        client.users.profile()
    assert [call.headers["authorization"] for call in calls] == ["Bearer opaque"]


def test_a_server_error_of_a_change_may_have_happened() -> None:
    workspace, _ = workspace_of(refused(500))
    with pytest.raises(Unavailable) as caught:
        workspace.computations.run("c", "v")
    assert caught.value.may_have_happened
    with pytest.raises(Unavailable) as caught:
        workspace.computations.get("c")
    assert not caught.value.may_have_happened


def test_a_stop_whose_reply_is_lost_may_have_happened() -> None:
    workspace, _ = workspace_of(httpx.ReadError("reset"))
    with pytest.raises(Unavailable) as caught:
        workspace.computations.stop("c")
    assert caught.value.may_have_happened


JWT = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGFiY2RlZmdoaWprbG1ub3A=\n-----END PRIVATE KEY-----\n"


def create_with_key(workspace: Workspace) -> None:
    config = AgentConfigRecord(cert_file="CERT", server_key=KEY)
    workspace.computations.create(name="n", description="d", agent_config=config)


def update_with_key(workspace: Workspace) -> None:
    config = AgentConfigRecord(cert_file="CERT", server_key=KEY)
    workspace.computations.update("c", name="n", description="d", agent_config=config)


@pytest.mark.parametrize(
    "echo",
    [
        f"bad token {JWT}",
        "header was: Bearer access-1",
        "the token access-1 is odd",
        KEY,
        f"could not parse {KEY[:60]}",
        "line MC4CAQAwBQYDK2VwBCIEIGFiY2RlZmdoaWprbG1ub3A= is odd",
        f"input: {KEY.encode('unicode_escape').decode()}",
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("act", [create_with_key, update_with_key])
def test_no_secret_that_a_server_echoes_is_shown(
    echo: str, media_type: str, act: Callable[[Workspace], None]
) -> None:
    reply = refused(400, echo) if media_type == "application/json" else httpx.Response(400, text=echo)
    workspace, _ = workspace_of(reply)
    with pytest.raises(Rejected) as caught:
        act(workspace)
    for text in (str(caught.value), repr(caught.value), caught.value.server_message):
        assert "***" in text
        for secret in (JWT, "access-1", "MC4CAQAwBQYDK2VwBCIE"):
            assert secret not in text


def test_a_password_that_a_server_echoes_is_not_shown() -> None:
    client = client_of(lambda _: refused(401, f"wrong: {USER.password}"))
    with pytest.raises(Unauthenticated) as caught:
        client.users.profile()
    assert USER.password not in str(caught.value)

    client = client_of(lambda _: httpx.Response(400, text='{"secret": "pa\\"ss word"}'))
    with pytest.raises(Rejected) as refused_registration:
        client.users.register(email="a@b", username="a", password='pa"ss word', first_name="a", last_name="b")
    assert "ss word" not in str(refused_registration.value)


def test_foreign_text_is_cut_and_holds_no_control_characters() -> None:
    error = error_of(refused(403, "\x1b[2J\r\n" + "x" * 10_000))
    assert len(error.server_message) < 500
    assert error.server_message.isprintable()


def test_a_download_token_stands_in_no_message() -> None:
    workspace, _ = workspace_of(refused(400, "no such token: tok-77"))
    with pytest.raises(Rejected) as caught:
        workspace.certificates.download("v", "tok-77")
    assert "tok-77" not in str(caught.value)


def test_a_client_shows_no_secret_in_its_text() -> None:
    client: PrismClient = client_of(lambda _: ok({}))
    for shown in (repr(client), repr(client.workspace("d")), repr(client.users), repr(USER)):
        assert USER.password not in shown
