"""The id of what was made comes from the first source that tells it (D2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from prism_iac.model import AssetKind, Platform
from prism_iac.prism import AssetContent, UnexpectedReply, Workspace
from tests.unit.prism.support import ok, page, workspace_of

CHECKSUM = "ab" * 32
ASSET = AssetContent(AssetKind.DATASET, "flowers", CHECKSUM, file_name="iris.csv")

CREATES: dict[str, Callable[[Workspace], str]] = {
    "computation": lambda workspace: workspace.computations.create(name="n", description="d"),
    "asset": lambda workspace: workspace.assets.create(ASSET),
    "cvm": lambda workspace: workspace.cvms.create(
        provider="external", vcpus=2, platform=Platform.SEV_SNP, name="n"
    ),
    "role": lambda workspace: workspace.roles.create("c", name="n"),
}
LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "computation": ("computations", {"name": "n"}),
    "asset": ("assets", {"file_name": "iris.csv", "checksum": CHECKSUM}),
    "cvm": ("cvms", {"name": "n"}),
    "role": ("roles", {"role_name": "n"}),
}


@pytest.mark.fault(7)
@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Location": "/computations/id-1"},
        {"HX-Location": "/computations/id-1/"},
        {"HX-Location": "https://prism.example/computations/id-1?tab=runs#top"},
        {"HX-Location": '{"path": "/computations/id-1", "target": "#main"}'},
        {"HX-Location": "/computations/id-1", "Location": "/computations/id-9"},
        {"Location": "/computations/id-1"},
        {"HX-Location": "/", "Location": "/computations/id-1"},
        {"HX-Location": '{"target": "#main"}', "Location": "/computations/id-1"},
        {"HX-Location": "{broken", "Location": "/computations/id-1"},
        {"HX-Location": '{"path": 7}', "Location": "/computations/id-1"},
        {"HX-Location": "http://[", "Location": "/computations/id-1"},
        {"HX-Location": "/computations/%2e%2e", "Location": "/computations/id-1"},
    ],
)
def test_d2_a_header_tells_the_id(name: str, headers: dict[str, str]) -> None:
    workspace, prism = workspace_of(ok({"id": "id-5"}, status=201, headers=headers))
    assert CREATES[name](workspace) == "id-1"
    assert len(prism.requests) == 1


@pytest.mark.parametrize("name", CREATES)
def test_d2_without_headers_the_body_tells_the_id(name: str) -> None:
    workspace, prism = workspace_of(ok({"id": "id-1"}, status=201))
    assert CREATES[name](workspace) == "id-1"
    assert len(prism.requests) == 1


@pytest.mark.fault(7)
@pytest.mark.parametrize("name", CREATES)
def test_d2_without_headers_and_body_the_list_tells_the_id(name: str) -> None:
    array, match = LISTS[name]
    listed = [
        {**match, "id": "older", "created_at": "2026-01-12T10:00:00Z"},
        {**dict.fromkeys(match, "other"), "id": "stranger", "created_at": "2026-01-12T12:00:00Z"},
    ]
    newest = {**match, "id": "newest", "created_at": "2026-01-12T11:00:00Z"}
    items = [newest, *listed] if name == "role" else [*listed, newest]
    workspace, _ = workspace_of(ok(status=201), page(array, *items))
    assert CREATES[name](workspace) == "newest"


@pytest.mark.fault(7)
@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize("body", [None, {}, {"id": ""}, {"name": "n"}])
def test_d2_where_nothing_tells_the_id_the_error_says_that_it_may_exist(name: str, body: Any) -> None:
    workspace, _ = workspace_of(ok(body, status=201), page(LISTS[name][0]))
    with pytest.raises(UnexpectedReply, match="nothing tells the id") as caught:
        CREATES[name](workspace)
    assert caught.value.may_have_happened


def test_d2_an_asset_whose_list_shows_no_checksum_is_looked_at() -> None:
    items = [
        {"id": "wrong", "file_name": "iris.csv", "created_at": "2026-01-12T12:00:00Z"},
        {"id": "right", "file_name": "iris.csv", "created_at": "2026-01-12T11:00:00Z"},
        {"id": "other", "file_name": "lin_reg.py", "created_at": "2026-01-12T13:00:00Z"},
    ]
    workspace, prism = workspace_of(
        ok(status=201),
        page("assets", *items),
        ok({"asset": {"id": "wrong", "checksum": "00"}}),
        ok({"asset": {"id": "right", "checksum": CHECKSUM}}),
    )
    assert workspace.assets.create(ASSET) == "right"
    assert [request.url.path.rpartition("/")[2] for request in prism.requests[2:]] == ["wrong", "right"]


@pytest.mark.parametrize("reply", [httpx.Response(201, json="r1"), ok({"run_id": "r1"}), ok({"id": "r1"})])
def test_d18_the_id_of_a_run_is_a_bare_string_or_stands_in_an_object(reply: httpx.Response) -> None:
    workspace, _ = workspace_of(reply)
    assert workspace.computations.run("c", "v") == "r1"


@pytest.mark.parametrize("document", [{}, "", [], 1.5, True, {"id": {}}])
def test_a_run_reply_without_an_id_is_an_error_that_may_have_happened(document: Any) -> None:
    workspace, _ = workspace_of(ok(document))
    with pytest.raises(UnexpectedReply) as caught:
        workspace.computations.run("c", "v")
    assert caught.value.may_have_happened
