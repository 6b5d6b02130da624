"""Decisions D13 to D17 and D21 to D29: computations, keys, manifests and agent configurations."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from sqlalchemy import event

from prism_iac.backend._runs import Signal
from prism_iac.backend.store import Database
from prism_iac.model import Manifest, TlsMode, tls_mode_of
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, parse_public_key
from tests.unit.backend.support import A_SHA3, Person, Prism, Workspace, public_pem

PEM = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n"
UNSET = {
    "log_level": "",
    "cert_file": "",
    "server_key": "",
    "server_ca_file": "",
    "client_ca_file": "",
    "attested_tls": False,
}


def test_a_computation_is_listed_short_and_read_whole(ada: Person, lab: Workspace) -> None:
    computation = lab.computation("train")
    (item,) = ada.ok("GET", lab.computations)["computations"]
    assert item.keys() == {"id", "name", "description", "owner", "status", "created_at"}
    record = ada.ok("GET", f"{lab.computations}/{computation}")
    assert item.items() <= record.items()
    assert record.keys() - item.keys() == {"start_time", "end_time", "agent_config"}
    assert record["agent_config"] == UNSET
    assert (record["owner"], record["status"]) == (ada.id, "executable")


def test_names_are_unique_in_a_workspace_only(prism: Prism, ada: Person, lab: Workspace) -> None:
    lab.computation("train")
    response = ada.post(lab.computations, {"name": "train", "description": "d"})
    assert response.status_code == 409
    assert '"train"' in response.json()["error"]
    prism.workspace(ada, "other").computation("train")
    other = lab.computation("test")
    assert ada.put(f"{lab.computations}/{other}", {"name": "train", "description": "d"}).status_code == 409
    assert ada.put(f"{lab.computations}/{other}", {"name": "test", "description": "d"}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"name": "n"}, {"description": "d"}, {"name": " ", "description": "d"}])
def test_name_and_description_are_required(ada: Person, lab: Workspace, body: dict[str, str]) -> None:
    assert ada.post(lab.computations, body).status_code == 400


def test_d14_the_agents_key_is_shown_to_editors_only(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation = lab.computation(agent_config={"cert_file": PEM, "server_key": KEY})
    path = f"{lab.computations}/{computation}"
    seen = {"ada": ada.ok("GET", path)["agent_config"]["server_key"]}
    for name, action in (("viv", "view"), ("ed", "edit"), ("run", "run")):
        person = lab.join(prism.person(name))
        lab.role(computation, person, action)
        record = person.ok("GET", path)["agent_config"]
        assert record["cert_file"] == PEM
        seen[name] = record["server_key"]
        (listed,) = person.ok("GET", lab.computations, params={"include": "agent_config"})["computations"]
        assert listed["agent_config"] == record
    assert seen == {"ada": KEY, "viv": "", "ed": KEY, "run": ""}


def test_d15_a_peek_shows_what_lists_show(ada: Person, lab: Workspace) -> None:
    computation = lab.computation()
    peeked = ada.ok("GET", f"{lab.computations}/{computation}", params={"peek": "true"})
    assert [peeked] == ada.ok("GET", lab.computations)["computations"]
    whole = ada.ok("GET", f"{lab.computations}/{computation}", params={"peek": "false"})
    assert "agent_config" in whole


def test_d16_a_replacement_keeps_what_it_leaves_out_and_takes_no_other_owner(
    ada: Person, lab: Workspace
) -> None:
    computation = lab.computation(agent_config={"attested_tls": True})
    path = f"{lab.computations}/{computation}"
    kept = ada.ok("PUT", path, {"name": "n", "description": "d"})
    assert kept["agent_config"]["attested_tls"] is True
    replaced = ada.ok("PUT", path, {"name": "n", "description": "d", "agent_config": {"log_level": "debug"}})
    assert replaced["agent_config"] == UNSET | {"log_level": "debug"}
    assert ada.put(path, {"name": "n"}).status_code == 400
    body = {"name": "n", "description": "d"}
    assert ada.put(path, {**body, "owner": ada.id}).status_code == 200
    assert ada.put(path, {**body, "owner": "somebody"}).status_code == 400
    assert (
        ada.post(lab.computations, {"name": "m", "description": "d", "owner": "somebody"}).status_code == 400
    )


def test_d16_the_agent_configuration_is_frozen_while_a_run_goes_on(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation = lab.runnable()
    run = lab.run(computation, lab.ready_cvm(prism))
    path = f"{lab.computations}/{computation}"
    body: dict[str, Any] = {"name": "renamed", "description": "d"}
    assert ada.put(path, {**body, "agent_config": {"attested_tls": True}}).status_code == 409
    assert ada.put(path, {**body, "agent_config": UNSET}).status_code == 200
    assert ada.put(path, body).status_code == 200
    prism.end_run(run, Signal.AGENT_FAILED)
    assert ada.put(path, {**body, "agent_config": {"attested_tls": True}}).status_code == 200


def test_d17_a_delete_waits_for_the_run_and_takes_all_but_the_assets(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation = lab.runnable()
    run = lab.run(computation, lab.ready_cvm(prism))
    path = f"{lab.computations}/{computation}"
    assert ada.delete(path).status_code == 409
    prism.end_run(run, Signal.RESULTS_READY)
    assert ada.delete(path).status_code == 204
    assert ada.delete(path).status_code == 404
    assert ada.get(f"{path}/run").status_code == 404
    assert ada.ok("GET", f"{lab.computations}/runs")["total"] == 0
    assets = ada.ok("GET", lab.assets)["assets"]
    assert [asset["computations"] for asset in assets] == [[], []]


def test_d21_a_dry_run_names_what_is_missing_and_changes_nothing(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation = lab.computation()
    path = f"{lab.computations}/{computation}/dryrun"
    nothing = ada.ok("POST", path)["missing_items"]
    assert nothing["keys"] == nothing["hashes"] == []
    assert len(nothing["info"]) == 4  # algorithm provider, result consumer, algorithm, ready CVM
    bob = lab.join(prism.person("bob"))
    lab.role(computation, bob, "algo_provider", "dataset_provider", "result_consumer")
    lab.asset(bob, "algorithm", file_name="risk.py")
    lab.asset(ada, "algorithm", file_name="not-bobs.py")
    missing = ada.ok("POST", path)["missing_items"]
    assert (missing["keys"], missing["hashes"]) == ([bob.id], ["risk.py"])
    assert any("algorithm is linked" in sentence for sentence in missing["info"])
    assert any("dataset is linked" in sentence for sentence in missing["info"])
    runnable = lab.runnable("other")
    lab.ready_cvm(prism)
    for _ in range(2):
        empty = ada.ok("POST", f"{lab.computations}/{runnable}/dryrun")["missing_items"]
        assert empty == {"keys": [], "hashes": [], "info": []}


def test_d22_a_key_is_taken_in_every_documented_wrapping(ada: Person, lab: Workspace) -> None:
    computation = lab.runnable()
    path = f"{lab.computations}/{computation}"
    for algorithm, size in (
        (KeyAlgorithm.RSA, 2048),
        (KeyAlgorithm.ECDSA, 384),
        (KeyAlgorithm.ED25519, None),
    ):
        pem = generate_key_pair(algorithm, size).public_pem
        der = parse_public_key(pem)
        for wrapped in (pem.decode(), base64.b64encode(pem).decode(), base64.b64encode(der).decode()):
            response = ada.post(f"{path}/key", {"key": wrapped})
            assert (response.status_code, response.content) == (200, b"")
            manifest = Manifest.from_json(ada.ok("GET", f"{path}/manifest"))
            assert manifest.algorithm.user_key == der
            assert manifest.result_consumers == (der,)


def test_d22_other_keys_are_refused_without_being_repeated(ada: Person, lab: Workspace) -> None:
    path = f"{lab.computations}/{lab.computation()}/key"
    private = generate_key_pair(KeyAlgorithm.ED25519).private_pem.decode()
    ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRlc3Q= ada@example.com"
    for bad in (private, base64.b64encode(private.encode()).decode(), ssh, "", "x", "!!"):
        response = ada.post(path, {"key": bad})
        assert response.status_code == 400
        assert not bad or bad == "x" or bad not in response.text
    assert ada.ok("GET", path) == {"uploaded": False}


def test_d23_a_key_check_is_about_the_caller(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation = lab.computation()
    bob = lab.join(prism.person("bob"))
    lab.role(computation, bob, "view")
    path = f"{lab.computations}/{computation}/key"
    bob.ok("POST", path, {"key": public_pem()})
    assert bob.ok("GET", path) == {"uploaded": True}
    assert ada.ok("GET", path) == {"uploaded": False}


def test_d26_a_manifest_says_who_brings_what_in_the_agents_form(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation = lab.computation("train")
    assert ada.get(f"{lab.computations}/{computation}/manifest").status_code == 422
    bob = lab.join(prism.person("bob"))
    lab.role(computation, bob, "algo_provider", "dataset_provider")
    lab.link(bob, lab.asset(bob, "algorithm", file_name="risk.py"), computation)
    south = lab.asset(bob, "dataset", file_name="south.csv", checksum="11" * 32)
    north = lab.asset(bob, "dataset", file_name="north.csv", checksum="22" * 32)
    for dataset in (south, north):
        lab.link(bob, dataset, computation)
    preview = ada.ok("GET", f"{lab.computations}/{computation}/manifest")
    assert "user_key" not in preview["algorithm"]
    bob.ok("POST", f"{lab.computations}/{computation}/key", {"key": public_pem()})
    key = base64.b64encode(parse_public_key(public_pem())).decode()
    assert ada.ok("GET", f"{lab.computations}/{computation}/manifest") == {
        "id": computation,
        "name": "train",
        "description": "Train on two sets",
        "datasets": [
            {"hash": [0x22] * 32, "user_key": key, "filename": "north.csv"},
            {"hash": [0x11] * 32, "user_key": key, "filename": "south.csv"},
        ],
        "algorithm": {"hash": list(bytes.fromhex(A_SHA3)), "user_key": key},
    }


@pytest.mark.fault(73)
def test_d26_the_manifest_of_a_run_stays_as_it_was_started(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation = lab.runnable()
    path = f"{lab.computations}/{computation}"
    before = ada.ok("GET", f"{path}/manifest")
    run = lab.run(computation, lab.ready_cvm(prism))
    ada.ok("PUT", path, {"name": "other", "description": "d"})
    assert ada.ok("GET", f"{path}/manifest") == before
    prism.end_run(run, Signal.RESULTS_READY)
    assert ada.ok("GET", f"{path}/manifest")["name"] == "other"


def test_d27_tls_values_are_kept_as_they_are_and_paths_are_pointed_out(ada: Person, lab: Workspace) -> None:
    config = {"cert_file": "cert.pem", "server_key": "key.pem"}
    computation = lab.computation(agent_config=config)
    record = ada.ok("GET", f"{lab.computations}/{computation}")
    assert config.items() <= record["agent_config"].items()
    info = ada.ok("POST", f"{lab.computations}/{computation}/dryrun")["missing_items"]["info"]
    assert [sentence.split()[0] for sentence in info if "path inside the VM" in sentence] == [
        "agent_config.cert_file",
        "agent_config.server_key",
    ]
    assert not any("key.pem" in sentence for sentence in info)


def test_d28_exactly_the_documented_tls_modes_are_taken(ada: Person, lab: Workspace) -> None:
    fields = ("cert_file", "server_key", "server_ca_file", "client_ca_file")
    modes = set()
    for number in range(32):
        chosen = [field for bit, field in enumerate(fields) if number >> bit & 1]
        attested = number >= 16
        config = dict.fromkeys(chosen, PEM) | {"attested_tls": attested}
        body = {"name": f"n{number}", "description": "d", "agent_config": config}
        mode = tls_mode_of(chosen, attested=attested)
        assert ada.post(lab.computations, body).status_code == (400 if mode is None else 201), config
        modes.add(mode)
    assert modes == {None, *TlsMode}


@pytest.mark.parametrize(
    ("given", "kept"),
    [("INFO", "info"), ("Warning", "warn"), ("", ""), ("error", "error"), ("DeBuG", "debug")],
)
def test_d29_a_log_level_is_taken_in_any_case(ada: Person, lab: Workspace, given: str, kept: str) -> None:
    computation = lab.computation(agent_config={"log_level": given})
    assert ada.ok("GET", f"{lab.computations}/{computation}")["agent_config"]["log_level"] == kept


def test_d29_an_unknown_log_level_is_refused(ada: Person, lab: Workspace) -> None:
    body = {"name": "n", "description": "d", "agent_config": {"log_level": "loud"}}
    assert ada.post(lab.computations, body).status_code == 400


def test_included_fields_equal_those_of_the_single_calls(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation = lab.runnable("one")
    bare = lab.computation("two")
    query = {"include": "agent_config,manifest,roles"}
    listed = {item["id"]: item for item in ada.ok("GET", lab.computations, params=query)["computations"]}
    path = f"{lab.computations}/{computation}"
    assert listed[computation]["agent_config"] == ada.ok("GET", path)["agent_config"]
    assert listed[computation]["manifest"] == ada.ok("GET", f"{path}/manifest")
    assert listed[computation]["roles"] == ada.ok("GET", f"{path}/roles")["roles"]
    assert listed[bare]["manifest"] is None
    mere_member = lab.join(prism.person("bob"))
    for item in mere_member.ok("GET", lab.computations, params=query)["computations"]:
        assert item["agent_config"] is item["manifest"] is item["roles"] is None
    assert ada.get(lab.computations, params={"include": "everything"}).status_code == 400


def test_a_page_takes_the_same_number_of_queries_however_long_it_is(
    database: Database, ada: Person, lab: Workspace
) -> None:
    counts: list[int] = []
    for size in (1, 5):
        while ada.ok("GET", lab.computations)["total"] < size:
            lab.runnable(f"c{len(counts)}-{ada.ok('GET', lab.computations)['total']}")
        with counted_queries(database) as queries:
            page = ada.ok("GET", lab.computations, params={"include": "agent_config,manifest,roles"})
        assert len(page["computations"]) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


class counted_queries:  # noqa: N801  # reads as a verb
    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._queries: list[str] = []

    def __enter__(self) -> list[str]:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self._queries

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._queries.append(statement)
