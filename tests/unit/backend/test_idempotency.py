"""A repeat with the same key gives the first record, also when two arrive at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from prism_iac.backend._operation import REPLAYED_HEADER
from prism_iac.backend._runs import Signal
from prism_iac.model import computation_id_of
from tests.unit.backend.support import A_SHA3, Person, Prism, Workspace

KEY = {"Idempotency-Key": "stack/dev/iris#1"}


def creates(lab: Workspace) -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        "computation": (lab.computations, {"name": "n", "description": "d"}),
        "asset": (lab.assets, {"asset": {"description": "d", "asset_type": "dataset", "checksum": A_SHA3}}),
        "cvm": (f"{lab.cvms}/external/2/sev-snp", {"name": "n"}),
    }


@pytest.mark.parametrize("kind", ["computation", "asset", "cvm"])
def test_a_repeat_gives_the_first_record_and_says_so(ada: Person, lab: Workspace, kind: str) -> None:
    path, body = creates(lab)[kind]
    first = ada.post(path, body, headers=KEY)
    again = ada.post(path, body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert REPLAYED_HEADER not in first.headers
    assert again.headers[REPLAYED_HEADER] == "true"
    assert ada.ok("GET", path.partition("/external")[0])["total"] == 1


def test_a_repeat_of_a_run_gives_the_first_run_even_when_it_has_ended(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation, cvm = lab.runnable(), lab.ready_cvm(prism)
    path = f"{lab.computations}/{computation}/run"
    first = ada.post(path, params={"cvm": cvm}, headers=KEY)
    prism.end_run(first.json(), Signal.AGENT_FAILED)
    again = ada.post(path, params={"cvm": cvm}, headers=KEY)
    assert again.status_code == first.status_code == 200
    assert again.json() == first.json()
    assert again.headers[REPLAYED_HEADER] == "true"
    other = lab.ready_cvm(prism, "other")
    assert ada.post(path, params={"cvm": other}, headers=KEY).status_code == 409
    assert ada.ok("GET", f"{lab.computations}/runs")["total"] == 1


def test_the_same_key_for_another_request_is_a_conflict(ada: Person, lab: Workspace) -> None:
    path, body = creates(lab)["computation"]
    ada.post(path, body, headers=KEY)
    response = ada.post(path, {**body, "description": "other"}, headers=KEY)
    assert response.status_code == 409
    assert "idempotency key" in response.json()["error"]


def test_the_content_counts_not_its_spelling(ada: Person, lab: Workspace) -> None:
    path, _ = creates(lab)["computation"]
    first = ada.call("POST", path, content=b'{"name":"n","description":"d"}', headers=JSON | KEY)
    again = ada.call("POST", path + "/", content=b'{ "description": "d", "name": "n" }', headers=JSON | KEY)
    by_alias = ada.call(
        "POST",
        "/computations/lab/computations",
        content=b'{"name":"n","description":"d"}',
        headers=JSON | KEY,
    )
    assert first.json()["id"] == again.json()["id"] == by_alias.json()["id"]


JSON = {"Content-Type": "application/json"}


def test_keys_of_other_users_routes_and_workspaces_are_others(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    root = prism.person("root", is_platform_administrator=True)
    other = prism.workspace(ada, "other")
    made = {
        ada.post(lab.computations, {"name": "a", "description": "d"}, headers=KEY).json()["id"],
        root.post(lab.computations, {"name": "b", "description": "d"}, headers=KEY).json()["id"],
        ada.post(other.computations, {"name": "a", "description": "d"}, headers=KEY).json()["id"],
        ada.post(*creates(lab)["asset"], headers=KEY).json()["id"],
        ada.post(*creates(lab)["cvm"], headers=KEY).json()["id"],
    }
    assert len(made) == 5


def test_a_refused_create_leaves_its_key_unused(ada: Person, lab: Workspace) -> None:
    lab.computation("taken")
    body = {"name": "taken", "description": "d"}
    assert ada.post(lab.computations, body, headers=KEY).status_code == 409
    ada.ok("DELETE", f"{lab.computations}/{ada.ok('GET', lab.computations)['computations'][0]['id']}")
    assert ada.post(lab.computations, body, headers=KEY).status_code == 201


@pytest.mark.parametrize("kind", ["computation", "asset", "cvm"])
def test_a_key_goes_with_its_record(ada: Person, lab: Workspace, kind: str) -> None:
    path, body = creates(lab)[kind]
    first = ada.post(path, body, headers=KEY).json()["id"]
    ada.ok("DELETE", f"{path.partition('/external')[0]}/{first}")
    second = ada.post(path, body, headers=KEY)
    assert second.status_code == 201
    assert REPLAYED_HEADER not in second.headers
    # The id of a computation follows from its key, so that its manifest is known beforehand.
    assert (second.json()["id"] == first) is (kind == "computation")


def test_the_id_of_a_computation_follows_from_workspace_and_key(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    body = {"name": "n", "description": "d"}
    first = ada.post(lab.computations, body, headers=KEY).json()["id"]
    assert first == computation_id_of("lab", KEY["Idempotency-Key"])
    elsewhere = prism.workspace(ada, "elsewhere")
    other = ada.post(elsewhere.computations, body, headers=KEY).json()["id"]
    assert other == computation_id_of("elsewhere", KEY["Idempotency-Key"])
    assert other != first


def test_an_id_that_somebody_has_is_given_to_nobody_else(prism: Prism, ada: Person, lab: Workspace) -> None:
    first = ada.post(lab.computations, {"name": "n", "description": "d"}, headers=KEY).json()["id"]
    root = prism.person("root", is_platform_administrator=True)
    second = root.post(lab.computations, {"name": "m", "description": "d"}, headers=KEY)
    assert second.status_code == 201
    assert second.json()["id"] != first


def test_the_key_of_a_run_goes_with_its_computation(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation, cvm = lab.runnable(), lab.ready_cvm(prism)
    run = ada.post(f"{lab.computations}/{computation}/run", params={"cvm": cvm}, headers=KEY).json()
    prism.end_run(run, Signal.RESULTS_READY)
    ada.ok("DELETE", f"{lab.computations}/{computation}")
    other = lab.runnable()
    assert ada.post(f"{lab.computations}/{other}/run", params={"cvm": cvm}, headers=KEY).json() != run


@pytest.mark.parametrize("key", ["", "x" * 256, "a b"])
def test_a_key_that_is_none_is_malformed(ada: Person, lab: Workspace, key: str) -> None:
    path, body = creates(lab)["computation"]
    assert ada.post(path, body, headers={"Idempotency-Key": key}).status_code == 400


@pytest.mark.fault(13)
def test_sixteen_at_once_make_one_record(ada: Person, lab: Workspace) -> None:
    path, body = creates(lab)["computation"]
    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda _: ada.post(path, body, headers=KEY), range(16)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert Counter(REPLAYED_HEADER in response.headers for response in responses) == {False: 1, True: 15}
    assert ada.ok("GET", path)["total"] == 1


def test_of_sixteen_different_requests_with_one_key_one_wins(ada: Person, lab: Workspace) -> None:
    bodies = [{"name": f"n{number}", "description": "d"} for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda body: ada.post(lab.computations, body, headers=KEY), bodies))
    assert Counter(response.status_code for response in responses) == {201: 1, 409: 15}


def test_sixteen_runs_at_once_on_one_cvm_make_one(prism: Prism, ada: Person, lab: Workspace) -> None:
    cvm = lab.ready_cvm(prism)
    paths = [f"{lab.computations}/{lab.runnable(f'c{number}')}/run" for number in range(4)]
    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda path: ada.post(path, params={"cvm": cvm}), paths * 4))
    assert Counter(response.status_code for response in responses) == {200: 1, 409: 15}
    assert ada.ok("GET", f"{lab.computations}/runs")["total"] == 1


def test_of_sixteen_creates_of_one_name_one_wins(ada: Person, lab: Workspace) -> None:
    body = {"name": "n", "description": "d"}
    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda _: ada.post(lab.computations, body), range(16)))
    assert Counter(response.status_code for response in responses) == {201: 1, 409: 15}


def test_a_repeat_of_an_issue_gives_the_first_certificate_until_that_is_revoked(
    ada: Person, lab: Workspace
) -> None:
    path = f"{lab.certs}/issue/cvm/{lab.cvm()}"
    first, again = (ada.post(path, {}, headers=KEY) for _ in range(2))
    assert again.json() == first.json()
    assert again.headers[REPLAYED_HEADER] == "true"
    ada.ok("PATCH", f"{lab.certs}/{first.json()['serial_number']}/revoke")
    other = ada.post(path, {}, headers=KEY)
    assert REPLAYED_HEADER not in other.headers
    assert other.json()["serial_number"] != first.json()["serial_number"]
