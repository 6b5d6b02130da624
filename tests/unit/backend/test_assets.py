"""Decisions D25 and D30 to D32: assets and their links."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from prism_iac.backend._runs import Signal
from prism_iac.backend.routes.assets import LARGEST_SAMPLE_BYTES
from tests.unit.backend.support import A_SHA3, Person, Prism, Workspace

SAMPLE = b"a,b\n1,2\n"


def test_d30_an_asset_is_read_whole_and_listed_without_its_sample(ada: Person, lab: Workspace) -> None:
    body = {
        "file_name": "iris.csv",
        "description": "Measurements",
        "asset_type": "Dataset",
        "mime_type": "text/csv",
        "asset": base64.b64encode(SAMPLE).decode(),
        "checksum": A_SHA3.upper(),
        "user_key": "",
    }
    made = ada.ok("POST", lab.assets, {"asset": body})
    assert made == ada.ok("GET", f"{lab.assets}/{made['id']}")
    assert base64.b64decode(made["asset"]) == SAMPLE
    assert (made["asset_type"], made["checksum"], made["user_id"]) == ("dataset", A_SHA3, ada.id)
    (listed,) = ada.ok("GET", lab.assets)["assets"]
    assert made == listed | {"asset": made["asset"]}
    assert "name" not in made  # D32


def test_d30_an_unwrapped_body_is_an_asset_too(ada: Person, lab: Workspace) -> None:
    body = {"description": "d", "asset_type": "algorithm", "asset": base64.b64encode(SAMPLE).decode()}
    made = ada.ok("POST", lab.assets, body)
    assert base64.b64decode(made["asset"]) == SAMPLE


@pytest.mark.parametrize("field", ["checksum", "Checksum", "hash"])
def test_d30_a_checksum_is_taken_under_each_of_its_names(ada: Person, lab: Workspace, field: str) -> None:
    body = {"description": "d", "asset_type": "dataset", field: A_SHA3}
    assert ada.ok("POST", lab.assets, {"asset": body})["checksum"] == A_SHA3


def test_d25_without_a_checksum_it_is_the_sha3_256_of_the_sample(ada: Person, lab: Workspace) -> None:
    body = {"description": "d", "asset_type": "dataset", "asset": base64.b64encode(SAMPLE).decode()}
    made = ada.ok("POST", lab.assets, {"asset": body})
    assert made["checksum"] == hashlib.sha3_256(SAMPLE).hexdigest()


@pytest.mark.parametrize(
    "wrong",
    [
        {"checksum": None},
        {"checksum": "5f0b"},
        {"checksum": A_SHA3[:-1] + "g"},
        {"asset_type": "model"},
        {"description": ""},
        {"asset": "no base64!"},
    ],
)
def test_d30_a_body_that_is_no_asset_is_refused(ada: Person, lab: Workspace, wrong: dict[str, Any]) -> None:
    body = {"description": "d", "asset_type": "dataset", "checksum": A_SHA3, **wrong}
    assert ada.post(lab.assets, {"asset": body}).status_code == 400


def test_d30_a_sample_of_ten_megabytes_is_taken_and_one_byte_more_is_not(ada: Person, lab: Workspace) -> None:
    for size, status in ((LARGEST_SAMPLE_BYTES, 201), (LARGEST_SAMPLE_BYTES + 1, 413)):
        sample = base64.b64encode(bytes(size)).decode()
        body = {"description": "d", "asset_type": "dataset", "checksum": A_SHA3, "asset": sample}
        assert ada.post(lab.assets, {"asset": body}).status_code == status


def test_an_update_replaces_what_is_given_and_keeps_the_rest(ada: Person, lab: Workspace) -> None:
    asset = lab.asset(ada, file_name="a.csv", mime_type="text/csv")
    path = f"{lab.assets}/{asset}"
    body = {"description": "new", "asset_type": "dataset", "checksum": "22" * 32, "mime_type": ""}
    updated = ada.ok("PUT", path, {"asset": body})
    assert (updated["description"], updated["checksum"], updated["mime_type"], updated["file_name"]) == (
        "new",
        "22" * 32,
        "",
        "a.csv",
    )
    body["asset"] = base64.b64encode(SAMPLE).decode()
    ada.ok("PUT", path, {"asset": body})
    assert base64.b64decode(ada.ok("GET", path)["asset"]) == SAMPLE


def test_what_a_manifest_says_of_an_asset_is_frozen_while_it_is_in_a_run(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation = lab.runnable()
    run = lab.run(computation, lab.ready_cvm(prism))
    (dataset, _) = ada.ok("GET", lab.assets)["assets"]
    path = f"{lab.assets}/{dataset['id']}"
    body = {"description": "new", "asset_type": dataset["asset_type"]}
    assert ada.put(path, {"asset": {**body, "checksum": "22" * 32}}).status_code == 409
    assert ada.put(path, {"asset": {**body, "file_name": "other"}}).status_code == 409
    assert ada.put(path, {"asset": body}).status_code == 200
    assert ada.put(path + f"/{computation}").status_code == 409
    prism.end_run(run, Signal.RESULTS_READY)
    assert ada.put(path, {"asset": {**body, "checksum": "22" * 32}}).status_code == 200
    other = {
        "description": "new",
        "asset_type": "algorithm" if dataset["asset_type"] == "dataset" else "dataset",
    }
    assert ada.put(path, {"asset": other}).status_code == 409


SOURCE = {"url": "https://data.example.com/iris.csv"}


def test_an_asset_may_say_where_agents_fetch_it(ada: Person, lab: Workspace) -> None:
    path = f"{lab.assets}/{lab.asset(ada, source=SOURCE)}"
    (listed,) = ada.ok("GET", lab.assets)["assets"]
    assert ada.ok("GET", path)["source"] == listed["source"] == SOURCE
    body = {"description": "new", "asset_type": "dataset"}
    assert ada.ok("PUT", path, {"asset": body})["source"] == SOURCE
    sealed = {
        "url": "s3://lab/iris",
        "encrypted": True,
        "kbs_url": "https://kbs.example.com",
        "kbs_resource_path": "default/key/iris",
    }
    assert ada.ok("PUT", path, {"asset": {**body, "source": sealed}})["source"] == sealed
    assert ada.ok("PUT", path, {"asset": {**body, "source": None}})["source"] is None
    assert ada.ok("GET", path)["source"] is None


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("dataset", {"url": "ftp://data.example.com/iris.csv"}),
        ("dataset", {"url": "https://ada:word@data.example.com/iris.csv"}),
        ("dataset", {**SOURCE, "encrypted": True}),
        ("dataset", {**SOURCE, "runtime": "python"}),
        ("dataset", {**SOURCE, "mirror": "https://mirror.example.com"}),
        ("dataset", "https://data.example.com/iris.csv"),
        ("algorithm", SOURCE),
    ],
)
def test_a_source_that_no_agent_could_use_is_refused(
    ada: Person, lab: Workspace, kind: str, source: object
) -> None:
    body = {"description": "d", "asset_type": kind, "checksum": A_SHA3, "file_name": "f", "source": source}
    refused = ada.post(lab.assets, {"asset": body})
    assert (refused.status_code, "word@" in refused.text) == (400, False)


def test_a_source_is_frozen_while_it_is_in_a_run(prism: Prism, ada: Person, lab: Workspace) -> None:
    lab.run(lab.runnable(), lab.ready_cvm(prism))
    (dataset, _) = ada.ok("GET", lab.assets)["assets"]
    path = f"{lab.assets}/{dataset['id']}"
    source = {**SOURCE, "runtime": "bin"} if dataset["asset_type"] == "algorithm" else SOURCE
    body = {"description": "new", "asset_type": dataset["asset_type"], "source": source}
    assert ada.put(path, {"asset": body}).status_code == 409
    assert ada.put(path, {"asset": body | {"source": None}}).status_code == 200


def test_d31_links_are_made_once_and_undone_once(prism: Prism, lab: Workspace) -> None:
    computation = lab.computation()
    bob = lab.join(prism.person("bob"))
    lab.role(computation, bob, "dataset_provider")
    asset = lab.asset(bob)
    link = f"{lab.assets}/{asset}/{computation}"
    for _ in range(2):
        response = bob.post(link)
        assert (response.status_code, response.content) == (200, b"")
    page = bob.ok("GET", f"{lab.assets}/{asset}/computations")
    assert [item["id"] for item in page["computations"]] == [computation]
    assert bob.ok("GET", f"{lab.assets}/{asset}")["computations"] == [computation]
    refused = bob.delete(f"{lab.assets}/{asset}")
    assert (refused.status_code, "Unlink it first" in refused.text) == (409, True)
    assert bob.put(link).status_code == 200
    assert bob.put(link).status_code == 404
    assert bob.delete(f"{lab.assets}/{asset}").status_code == 204
    assert bob.get(f"{lab.assets}/{asset}").status_code == 404


def test_d31_a_link_takes_the_action_that_matches_the_type(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation = lab.computation()
    bob = lab.join(prism.person("bob"))
    lab.role(computation, bob, "algo_provider")
    assert bob.post(f"{lab.assets}/{lab.asset(bob, 'dataset')}/{computation}").status_code == 403
    assert bob.post(f"{lab.assets}/{lab.asset(bob, 'algorithm')}/{computation}").status_code == 200
    assert ada.post(f"{lab.assets}/{lab.asset(ada, 'algorithm')}/{computation}").status_code == 403


def test_d31_a_second_algorithm_is_a_conflict(prism: Prism, lab: Workspace) -> None:
    computation = lab.computation()
    bob = lab.join(prism.person("bob"))
    lab.role(computation, bob, "algo_provider")
    lab.link(bob, lab.asset(bob, "algorithm"), computation)
    assert bob.post(f"{lab.assets}/{lab.asset(bob, 'algorithm')}/{computation}").status_code == 409


def test_an_owner_who_lost_the_role_can_still_take_the_asset_back(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation = lab.computation()
    bob = lab.join(prism.person("bob"))
    role = lab.role(computation, bob, "dataset_provider")
    asset = lab.asset(bob)
    lab.link(bob, asset, computation)
    assert ada.delete(f"{lab.computations}/{computation}/roles/{role}").status_code == 204
    info = ada.ok("POST", f"{lab.computations}/{computation}/dryrun")["missing_items"]["info"]
    assert any("does not hold the action dataset_provider any more" in sentence for sentence in info)
    assert bob.put(f"{lab.assets}/{asset}/{computation}").status_code == 200


def test_links_of_a_running_computation_are_fixed(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation = lab.runnable()
    lab.run(computation, lab.ready_cvm(prism))
    assert ada.post(f"{lab.assets}/{lab.asset(ada)}/{computation}").status_code == 409
