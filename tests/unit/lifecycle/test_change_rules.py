"""What a change of each input does to the live object, kind by kind: the table that plans are made from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.lifecycle import EMBEDDED, HANDLERS, Context, Difference, Session, Settings, check, diff
from prism_iac.model import UNKNOWN, Change, contains_unknown
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.unit.model.test_kinds import EXAMPLES

REPLACES: Final[dict[str, set[str]]] = {
    "Computation": {"workspace"},
    "Asset": {"workspace", "asset_type", "provider"},
    "Participant": {"workspace", "computation", "user"},
    "PublicKey": {"workspace", "computation", "user"},
    "ConfidentialVM": {
        "workspace",
        "provider",
        "platform",
        "vcpus",
        "agent_log_level",
        "limits",
        "manager",
        "qemu",
        "name",
    },
    "CertificateBundle": {"source", "vm", "workspace"},
    "AttestationPolicy": {"workspace"},
    "ComputationRun": {"workspace", "computation", "vm", "triggers"},
}
"""The inputs whose change asks for a new object; every other one is updated in place."""

FROZEN: Final[dict[str, set[str]]] = {
    **{kind: set() for kind in REPLACES},
    "Computation": {"algorithm", "datasets", "result_consumers", "agent"},
    "Asset": {"checksum", "file_name", "source"},
}
"""The inputs that stay as they are while a run is going on."""

_DECLARED: Final = {"path": "policy.json", "expectations": {"policy": {"vmpl": 0}}}
_BROUGHT: Final = {"source": "files", "files": {"ca_certificate": "ca.pem", "passphrase": "sesame"}}

EXAMPLES_OF: Final[dict[str, dict[str, Any]]] = {
    "PublicKey": {"computation": "c", "key": generate_key_pair(KeyAlgorithm.ED25519).public_pem.decode()},
    "CertificateBundle": {"key": {"algorithm": "ecdsa"}},
    "CertificateBundle.workspace": {"source": "prism", "vm": "v"},
    "AttestationPolicy": _DECLARED,
}
"""Examples of the kinds, and of the inputs, that go only with others or whose check reads what they name."""

NOT_KNOWN: Final[dict[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "AttestationPolicy.launch": ({**_DECLARED, "launch": {"kernel": "k", "vcpus": 2}}, ("firmware",)),
    "AttestationPolicy.expectations": (_DECLARED, ("policy", "vmpl")),
    "CertificateBundle.files": (_BROUGHT, ("server_key",)),
    "CertificateBundle.key": ({"key": {"size": 3072}}, ("algorithm",)),
    "CertificateBundle.servers": ({}, ("north", "dns_names")),
    "Computation.agent": ({"name": "n", "description": "d"}, ("cert_file",)),
    "ComputationRun.triggers": ({"computation": "c", "vm": "v"}, ("data",)),
    "ConfidentialVM.limits": ({}, ("memory_mib",)),
}
"""Inputs with parts: what goes with them, and the way to a part that is not known yet."""

EVERY_INPUT: Final = [
    pytest.param(kind, name, id=f"{kind}.{name}")
    for kind, handler in HANDLERS.items()
    for name in handler.model.input_names()
]


def nobody_pauses(_seconds: float) -> None:
    raise AssertionError("a check or a diff has nothing to wait for")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Surroundings in which no Prism runs: neither step may ask one."""
    return Context(
        name="thing",
        identity="9c41d2e7f0a3.0",
        session=Session(Settings(endpoint=EMBEDDED, data=tmp_path)),
        default_workspace="research",
        now=lambda: datetime(2026, 1, 12, tzinfo=UTC),
        pause=nobody_pauses,
        report=lambda _: None,
    )


def test_every_kind_is_in_the_tables() -> None:
    assert REPLACES.keys() == FROZEN.keys() == HANDLERS.keys()


@pytest.mark.parametrize(("kind", "name"), EVERY_INPUT)
def test_a_changed_input_replaces_or_updates(kind: str, name: str, context: Context) -> None:
    found = diff(HANDLERS[kind], {name: "old"}, {name: "new"}, context)
    assert found == Difference(changed=(name,), replaces=(name,) if name in REPLACES[kind] else ())


@pytest.mark.parametrize(("kind", "name"), EVERY_INPUT)
def test_an_input_is_frozen_or_free_during_a_run(kind: str, name: str) -> None:
    is_frozen = HANDLERS[kind].model.rules()[name].change is Change.FROZEN
    assert is_frozen is (name in FROZEN[kind])


@pytest.mark.parametrize("kind", HANDLERS)
def test_outputs_are_no_difference(kind: str, context: Context) -> None:
    name, *_ = HANDLERS[kind].model.input_names()
    outputs = {name: "learned" for name, rule in HANDLERS[kind].model.rules().items() if not rule.is_input}
    assert diff(HANDLERS[kind], {**outputs, name: "old"}, {name: "new"}, context).changed == (name,)


@pytest.mark.fault(37)
@pytest.mark.parametrize(("kind", "name"), EVERY_INPUT)
def test_an_input_that_is_not_known_yet_is_checked_and_planned(
    kind: str, name: str, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    handler = HANDLERS[kind]
    given = EXAMPLES_OF.get(f"{kind}.{name}", EXAMPLES_OF.get(kind, EXAMPLES[kind]))
    known = check(handler, given, context)
    planned = check(handler, {**given, name: UNKNOWN}, context, recorded=known)
    assert planned[name] is UNKNOWN
    assert name in diff(handler, known, planned, context).changed


@pytest.mark.fault(37)
@pytest.mark.parametrize("field", NOT_KNOWN)
def test_a_part_that_is_not_known_yet_is_checked_and_planned(field: str, context: Context) -> None:
    kind, _, name = field.partition(".")
    given, way = NOT_KNOWN[field]
    part: Any = UNKNOWN
    for step in reversed(way):
        part = {step: part}
    planned = check(HANDLERS[kind], {**given, name: {**given.get(name, {}), **part}}, context)
    assert contains_unknown(planned[name])
    assert name in diff(HANDLERS[kind], {}, planned, context).changed


def test_equal_inputs_are_no_difference(context: Context) -> None:
    inputs = {"workspace": "research", "name": "fit", "description": "d"}
    state = {**inputs, "identity": "9c41d2e7f0a3.0", "owner": "u1", "status": "running"}
    assert not diff(HANDLERS["Computation"], state, {**inputs, "identity": "9c41d2e7f0a3.1"}, context)


def test_a_check_fills_in_identity_and_workspace(context: Context) -> None:
    found = check(HANDLERS["Participant"], {"computation": "c", "user": "ADA@x", "actions": ["run"]}, context)
    assert (found["identity"], found["workspace"], found["user"]) == (context.identity, "research", "ada@x")


def test_a_workspace_that_is_named_is_kept(context: Context) -> None:
    found = check(HANDLERS["ComputationRun"], {"workspace": "w", "computation": "c", "vm": "v"}, context)
    assert found["workspace"] == "w"


HELD_TO_NOTHING: Final[dict[str, dict[str, Any]]] = {
    "cocos": {"provider": "cocos", "manager": "lab.example.com:7020"},
    "external": {"provider": "external"},
    "qemu": {"provider": "qemu", "qemu": {"protection": "none"}},
}


@pytest.mark.parametrize("policy", ["{}", UNKNOWN], ids=["known", "unknown"])
@pytest.mark.parametrize("vm", HELD_TO_NOTHING.values(), ids=HELD_TO_NOTHING)
def test_a_vm_that_shows_no_evidence_here_is_held_to_no_policy(
    context: Context, vm: dict[str, Any], policy: object
) -> None:
    assert "policy" not in check(HANDLERS["ConfidentialVM"], vm, context)
    with pytest.raises(InvalidInput, match=f"provider {vm['provider']} shows no evidence here") as refusal:
        check(HANDLERS["ConfidentialVM"], {**vm, "policy": policy}, context)
    assert [finding.path for finding in refusal.value.findings] == ["policy"]


@pytest.mark.parametrize(
    "vm",
    [
        {"provider": "local"},
        {"provider": "qemu", "qemu": {"protection": "none", "evidence": "simulated"}},
        {"provider": "qemu", "qemu": {"protection": "none", "evidence": UNKNOWN}},
        {"provider": UNKNOWN},
    ],
    ids=str,
)
def test_a_vm_that_shows_evidence_or_may_do_so_is_held_to_a_policy(
    context: Context, vm: dict[str, Any]
) -> None:
    assert check(HANDLERS["ConfidentialVM"], {**vm, "policy": "{}"}, context)["policy"] == "{}"


def test_a_state_of_a_vm_whose_policy_is_refused_can_be_read_and_so_destroyed() -> None:
    state = {**HELD_TO_NOTHING["cocos"], "workspace": "research", "policy": "{}", "status": "online"}
    assert HANDLERS["ConfidentialVM"].model.parse(state).properties()["policy"] == "{}"


def test_a_check_tells_every_finding_at_once(context: Context) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check(HANDLERS["ConfidentialVM"], {"vcpus": 0, "platform": "abacus", "colour": "red"}, context)
    assert {finding.path for finding in refusal.value.findings} == {"vcpus", "platform", "colour"}
