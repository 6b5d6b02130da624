"""What is taken from the documents of the engine."""

from __future__ import annotations

import pytest

from prism_iac.model import UNKNOWN
from prism_iac.plan._preview import Secret, plain, properties_of, read_preview
from tests.unit.plan.scene import COMPUTATION, MASKED, Scene, secret, urn
from tests.unit.plan.scene import UNKNOWN as SENTINEL

TYPE = "pulumi-python:dynamic/prism:Computation"
NAME = urn("Computation", "iris-regression")


def agent(**fields: object) -> dict[str, object]:
    return {**COMPUTATION, "agent": fields}


def test_masked_values_are_taken_from_state_and_from_the_saved_plan() -> None:
    scene = Scene().add(
        "update",
        "Computation",
        "iris-regression",
        old=agent(server_key=secret("old")),
        new=agent(server_key=secret("new"), log_level="info"),
    )
    found = scene.preview().resources[NAME]
    assert found.old is not None
    assert found.state is not None
    assert found.new is not None
    assert (found.old["agent"], found.state["agent"]) == ({"server_key": Secret("old")},) * 2
    assert found.new["agent"] == {"server_key": Secret("new"), "log_level": "info"}
    assert plain(found.new["agent"]) == {"server_key": "new", "log_level": "info"}
    assert "new" not in repr(found.new["agent"]["server_key"])


def test_what_is_not_known_is_unknown_whether_it_is_secret_or_not() -> None:
    scene = Scene().add(
        "create",
        "Computation",
        "iris-regression",
        new=agent(server_key=secret(SENTINEL), cert_file=SENTINEL, extra=[SENTINEL]),
    )
    found = scene.preview().resources[NAME].new
    assert found is not None
    assert found["agent"] == {"server_key": UNKNOWN, "cert_file": UNKNOWN, "extra": [UNKNOWN]}


def test_a_text_that_reads_like_the_mask_is_kept() -> None:
    scene = Scene().add("create", "Asset", "iris", new={"description": MASKED})
    assert scene.preview().resources[urn("Asset", "iris")].new == {"description": MASKED}


def test_a_masked_value_that_no_document_shows_stays_secret() -> None:
    step = {
        "op": "create",
        "urn": NAME,
        "newState": {"type": "pulumi-python:dynamic/prism:Computation", "inputs": {"description": MASKED}},
    }
    found = read_preview({"steps": [step]}, {}, {}).resources[NAME]
    assert found.new == {"description": Secret(MASKED)}


def test_the_engines_own_and_the_parts_of_a_replacement_are_left_out() -> None:
    steps = [
        {"op": op, "urn": f"urn:pulumi:dev::shop::{token}::{op}", "newState": {"type": token, "inputs": {}}}
        for op, token in (
            ("create", "pulumi:pulumi:Stack"),
            ("create", "pulumi:providers:pulumi-python"),
            ("create-replacement", "pulumi-python:dynamic/prism:Asset"),
            ("delete-replaced", "pulumi-python:dynamic/prism:Asset"),
            ("replace", "pulumi-python:dynamic/prism:Asset"),
        )
    ]
    (found,) = read_preview({"steps": steps}, {}, {}).resources.values()
    assert (found.op, found.kind, found.new) == ("replace", "Asset", {})


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("pulumi-python:dynamic/prism:Asset", "Asset"),
        ("prism:index:Asset", "Asset"),
        ("random:index/randomId:RandomId", "random:index/randomId:RandomId"),
    ],
)
def test_a_kind_is_that_of_the_package_in_either_face(token: str, kind: str) -> None:
    step = {"op": "create", "urn": f"urn:pulumi:dev::shop::{token}::thing", "newState": {"type": token}}
    (found,) = read_preview({"steps": [step]}, {}, {}).resources.values()
    assert found.kind == kind


def test_properties_of_the_native_face_have_the_names_of_their_model() -> None:
    address = "urn:pulumi:dev::shop::prism:index:Computation::c"
    bag = {"resultConsumers": ["a"], "agent": {"logLevel": "info", "serverKey": MASKED}}
    state = {"type": "prism:index:Computation", "propertyDependencies": {"resultConsumers": ["urn"]}}
    step = {
        "op": "update",
        "urn": address,
        "replaceReasons": ["stopOnDelete"],
        "oldState": {**state, "inputs": bag, "outputs": bag},
        "newState": {**state, "inputs": bag},
    }
    shown = {**bag, "agent": {"logLevel": "info", "serverKey": secret("s")}}
    saved = {"resourcePlans": {address: {"state": shown}}}
    recorded = {"resources": [{"urn": address, "inputs": shown, "outputs": shown}]}
    (found,) = read_preview({"steps": [step]}, saved, recorded).resources.values()
    expected = {"result_consumers": ["a"], "agent": {"log_level": "info", "server_key": Secret("s")}}
    assert (found.old, found.state, found.new) == (expected, expected, expected)
    assert found.uses == {"result_consumers": ("urn",)}
    assert found.replaces == ("stop_on_delete",)


def test_errors_are_told_once_and_with_their_resource() -> None:
    said = [
        {"severity": "error", "urn": NAME, "message": "error: it is taken\n"},
        {"severity": "error", "urn": NAME, "message": "error: it is taken\n"},
        {"severity": "info", "urn": "", "message": "trainer: creating"},
        {"severity": "error", "message": "error: Program failed"},
        {
            "severity": "error",
            "urn": NAME,
            "message": f"error: {TYPE} resource 'iris-regression' has a problem: no",
        },
    ]
    assert read_preview({"diagnostics": said}, {}, {}).errors == (
        "iris-regression: it is taken",
        "Program failed",
        "iris-regression: no",
    )


def test_names_within_a_secret_of_the_native_face_are_those_of_the_model() -> None:
    parties = {"client-eve": {"certificate": "c", "privateKey": "k"}}
    found = properties_of("prism:index:CertificateBundle", {"parties": Secret(parties), "caKey": Secret("k")})
    assert found == {
        "parties": Secret({"client-eve": {"certificate": "c", "private_key": "k"}}),
        "ca_key": Secret("k"),
    }
