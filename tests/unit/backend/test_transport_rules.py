"""Decisions D1 to D8: what is alike for every route."""

from __future__ import annotations

import re
from typing import Final

import pytest

from prism_iac.backend._edge import LARGEST_BODY_BYTES
from prism_iac.backend._errors import REFUSALS
from tests.unit.backend.access import ROUTES
from tests.unit.backend.support import A_SHA3, Person, Prism, Workspace, envelope

UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_d01_a_query_that_names_another_workspace_is_refused(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    other = prism.workspace(ada, "other")
    for agreeing in ({}, {"domainID": lab.id}, {"domainID": "lab"}):
        assert ada.get(lab.computations, params=agreeing).status_code == 200
    assert ada.get(lab.computations, params={"domainID": other.id}).status_code == 400


def test_d02_each_create_names_its_record_in_both_headers_and_in_the_body(
    ada: Person, lab: Workspace
) -> None:
    creates = {
        "/computations": (lab.computations, {"name": "n", "description": "d"}),
        "/assets": (lab.assets, {"asset": {"description": "d", "asset_type": "dataset", "checksum": A_SHA3}}),
        "/cvms": (f"{lab.cvms}/external/2/sev-snp", {"name": "n"}),
    }
    for collection, (path, body) in creates.items():
        response = ada.post(path, body)
        record = response.json()["id"]
        assert response.status_code == 201
        assert UUID_TEXT.fullmatch(record)
        assert response.headers["HX-Location"] == response.headers["Location"] == f"{collection}/{record}"


def test_d03_updates_answer_with_the_record_and_actions_with_nothing(ada: Person, lab: Workspace) -> None:
    computation = lab.runnable()
    updated = ada.put(f"{lab.computations}/{computation}", {"name": "n", "description": "d"})
    assert (updated.status_code, updated.json()["name"]) == (200, "n")
    unlinked = ada.put(f"{lab.assets}/{lab.asset(ada)}/{computation}")
    assert unlinked.status_code == 404
    assert ada.post(f"{lab.assets}/{lab.asset(ada)}/{computation}").content == b""
    deleted = ada.delete(f"{lab.computations}/{computation}")
    assert (deleted.status_code, deleted.content) == (204, b"")


def test_d04_every_refusal_has_the_documented_shape(prism: Prism, ada: Person, lab: Workspace) -> None:
    lab.computation("taken")
    refused = {
        400: ada.post(lab.computations, {"name": ""}),
        401: prism.client.get("/users"),
        403: prism.person("eve").post(f"/users/{ada.id}/disable"),
        404: ada.get(f"{lab.computations}/none"),
        409: ada.post(lab.computations, {"name": "taken", "description": "d"}),
        413: ada.post(lab.computations, {"name": "x" * (LARGEST_BODY_BYTES + 1)}),
        415: ada.call("POST", lab.computations, content=b"a=b", headers={"Content-Type": "text/plain"}),
        422: ada.get(f"{lab.computations}/{lab.computation('bare')}/manifest"),
        405: ada.delete("/users"),
    }
    for status, response in refused.items():
        assert response.status_code == status
        assert response.headers["Content-Type"] == "application/json"
        body = response.json()
        assert body["error"], body
        assert body["message"].startswith(body["error"])
    assert refused.keys() - {405} == REFUSALS.keys() - {429, 503}


def test_a_method_that_is_not_served_is_answered_with_those_that_are(prism: Prism, lab: Workspace) -> None:
    allowed = {
        path: prism.client.patch(path).headers["Allow"]
        for path in ("/users", lab.computations, f"{lab.computations}/x", f"{lab.computations}/statistics")
    }
    assert list(allowed.values()) == ["GET, POST", "GET, POST", "DELETE, GET, PUT", "GET"]


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/static-offline-docs/swagger-ui.css"])
def test_pages_about_the_api_refuse_what_is_not_a_look(prism: Prism, path: str) -> None:
    assert prism.client.get(path).status_code == 200
    assert prism.client.patch(path).status_code == 405


def test_the_description_of_the_api_asks_no_other_server(prism: Prism) -> None:
    page = prism.client.get("/docs").text
    places = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page)
    assert len(places) >= 3
    for place in places:
        assert prism.client.get(place).status_code == 200, place


def test_d04_a_refusal_repeats_no_value_that_was_sent(prism: Prism) -> None:
    body = {"email": "no address", "credentials": {"username": "eve", "secret": "hunter2"}}
    response = prism.client.post("/users", json=body)
    assert response.status_code == 400
    assert "hunter2" not in response.text
    assert "credentials.secret" in response.text


def test_d04_a_chunked_body_is_bounded_too(ada: Person, lab: Workspace) -> None:
    def chunks() -> object:
        for _ in range(LARGEST_BODY_BYTES // 65536 + 2):
            yield b" " * 65536

    headers = {"Content-Type": "application/json"}
    response = ada.call("POST", lab.computations, content=chunks(), headers=headers)
    assert response.status_code == 413


def test_d05_pages_are_bounded_complete_and_newest_first(ada: Person, lab: Workspace) -> None:
    names = [lab.computation(f"c{number}") for number in range(12)]
    first = ada.ok("GET", lab.computations)
    second = ada.ok("GET", lab.computations, params={"offset": 10})
    assert envelope(first) == (12, 10, 0)
    assert envelope(second) == (12, 10, 10)
    assert [item["id"] for item in first["computations"] + second["computations"]] == names[::-1]
    for limit in (0, 101, -1, "x"):
        assert ada.get(lab.computations, params={"limit": limit}).status_code == 400
    assert ada.get(lab.computations, params={"offset": -1}).status_code == 400
    assert ada.ok("GET", lab.computations, params={"offset": 99})["computations"] == []


def test_d05_pages_of_records_of_one_moment_neither_overlap_nor_leave_gaps(
    prism: Prism, ada: Person, lab: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(prism.clock), "__call__", lambda clock: clock.now)
    made = {lab.computation(f"c{number}") for number in range(7)}
    pages = [ada.ok("GET", lab.computations, params={"limit": 3, "offset": offset}) for offset in (0, 3, 6)]
    listed = [item["id"] for page in pages for item in page["computations"]]
    assert len(listed) == 7
    assert set(listed) == made


def test_d06_an_unset_time_is_the_zero_time(ada: Person, lab: Workspace) -> None:
    record = ada.ok("GET", f"{lab.computations}/{lab.computation()}")
    assert record["start_time"] == record["end_time"] == "0001-01-01T00:00:00Z"
    assert record["created_at"].startswith("2026-01-12T09:30:00.")
    assert record["created_at"].endswith("Z")
    lab.cvm()
    assert ada.ok("GET", lab.cvms)["cvms"][0]["deleted_at"] == "0001-01-01T00:00:00Z"


def test_d07_a_trailing_slash_changes_nothing_anywhere(prism: Prism) -> None:
    ada = prism.person("ada")
    names = ("domain_id", "computation_id", "asset_id", "user_id", "role_id", "cvm_id", "provider", "vcpu")
    path = dict.fromkeys(names, "1") | dict.fromkeys(
        ("cc_platform", "entity_type", "entity_id", "serial_number", "serial_or_entity"), "1"
    )
    for route in ROUTES.values():
        method = route.mounted.method
        plain = ada.call(method, route.path.format(**path))
        slashed = ada.call(method, route.path.format(**path) + "/")
        assert not slashed.is_redirect
        assert slashed.status_code == plain.status_code, route.path
        assert slashed.status_code != 405


def test_d08_unknown_fields_are_ignored_and_known_ones_are_case_sensitive(
    ada: Person, lab: Workspace
) -> None:
    body = {"name": "n", "description": "d", "colour": "green", "agent_config": {"shape": "round"}}
    assert ada.post(lab.computations, body).status_code == 201
    assert ada.post(lab.computations, {"Name": "m", "description": "d"}).status_code == 400


def test_every_answer_carries_the_security_headers_and_an_id(prism: Prism) -> None:
    for path in ("/health", "/nowhere"):
        headers = prism.client.get(path).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Xss-Protection"] == "1; mode=block"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert UUID_TEXT.fullmatch(headers["X-Request-Id"])


def test_health_and_readiness_differ_when_agents_cannot_connect(prism: Prism) -> None:
    for path in ("/health", "/computations/health", "/users/health", "/ready"):
        assert prism.client.get(path).json()["status"] == "pass"
    prism.agents.serving = False
    assert prism.client.get("/health").status_code == 200
    response = prism.client.get("/ready")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
