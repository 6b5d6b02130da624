from __future__ import annotations

from typing import Any

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.model import COMPUTED, IN_PLACE, UNKNOWN, Change, Rule, rule_of
from prism_iac.model.resources import (
    KINDS,
    AttestationPolicy,
    CertificateBundle,
    Computation,
    ConfidentialVM,
    ResourceModel,
)
from prism_iac.model.schema._words import field_words, models_in, words_of

PEM = "-----BEGIN CERTIFICATE-----\nTWFueQ==\n-----END CERTIFICATE-----\n"

EXAMPLES: dict[str, dict[str, Any]] = {
    "Computation": {
        "workspace": "research",
        "name": "fit",
        "description": "Linear regression",
        "algorithm": "a1",
        "datasets": ["d2", "d1", "d2"],
        "result_consumers": ["Ada@Example.com"],
        "agent": {"tls": "matls", "client_ca_file": PEM, "log_level": "WARNING"},
    },
    "Asset": {"workspace": "w", "asset_type": "Dataset", "description": "Irises", "checksum": "AB" * 32},
    "Participant": {"workspace": "w", "computation": "c", "user": "ADA@x", "actions": ["runner"]},
    "PublicKey": {"workspace": "w", "computation": "c", "key": PEM},
    "ConfidentialVM": {
        "workspace": "w",
        "vcpus": 4.0,
        "limits": {"memory_mib": 512.0},
        "ready_timeout": "60m",
    },
    "CertificateBundle": {
        "key": {"algorithm": "ecdsa"},
        "validity": "24h",
        "renew_before": "90m",
        "servers": {"log_level": {"dns_names": ["localhost"]}},
        "clients": ["ada"],
    },
    "AttestationPolicy": {
        "path": "policy.json",
        "expectations": {"policy": {"vmpl": 0}},
        "launch": {"firmware": "OVMF.fd", "kernel": "vmlinuz", "cmdline": " quiet ", "vcpus": 2.0},
        "measurement": "AB" * 48,
        "accept": ["q6ur" * 16, "CD" * 48, "cd" * 48],
        "minimum_tcb": {"snp": 8.0},
        "warn": {"minimum_tcb": "2027-01-31"},
        "approvals": [{"change": "warn", "by": "Grace", "reason": "new firmware", "until": "2026-12-31"}],
    },
    "ComputationRun": {"workspace": "w", "computation": "c", "vm": "v", "triggers": {"round": "1"}},
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def test_every_kind_has_an_example_here() -> None:
    assert EXAMPLES.keys() == KINDS.keys()


@EVERY_KIND
def test_every_field_has_a_rule_and_says_what_it_is(kind: str) -> None:
    for model in {KINDS[kind], *models_in(KINDS[kind])}:
        assert words_of(model), model
        assert list(field_words(model)) == list(model.model_fields), model
        for name in model.model_fields:
            assert isinstance(rule_of(model, name), Rule)


def test_a_field_without_a_rule_is_an_error() -> None:
    class Bare(ResourceModel):
        field: str = ""

    with pytest.raises(LookupError, match=r"Bare\.field has no change rule"):
        rule_of(Bare, "field")


@EVERY_KIND
def test_properties_are_their_own_canonical_form(kind: str) -> None:
    once = KINDS[kind].parse(EXAMPLES[kind]).properties()
    assert KINDS[kind].parse(once).properties() == once


@EVERY_KIND
def test_numbers_that_come_as_doubles_change_nothing(kind: str) -> None:
    def doubled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: doubled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [doubled(item) for item in value]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    model = KINDS[kind]
    resource = model.parse(EXAMPLES[kind])
    if kind != "AttestationPolicy":  # a policy document is opaque; the attestation room reads its numbers
        assert model.parse(doubled(resource.properties())) == resource


@EVERY_KIND
def test_inputs_are_what_people_set_and_the_identity(kind: str) -> None:
    model = KINDS[kind]
    assert set(model.parse(EXAMPLES[kind]).inputs()) <= {*model.input_names(), "identity"}
    assert "identity" not in model.input_names()
    assert all(not rule.is_input for name, rule in model.rules().items() if name not in model.input_names())


@pytest.mark.fault(37)
@EVERY_KIND
def test_an_input_that_is_not_known_yet_stays_unknown(kind: str) -> None:
    model = KINDS[kind]
    for name in model.input_names():
        resource = model.parse({**EXAMPLES[kind], name: UNKNOWN})
        assert resource.properties()[name] is UNKNOWN


def test_unknown_parts_stay_and_the_rest_is_still_checked() -> None:
    example = EXAMPLES["Computation"]
    resource = Computation.parse(
        {**example, "datasets": ["d1", UNKNOWN], "agent": {"client_ca_file": UNKNOWN}}
    )
    assert resource.properties()["datasets"] == ["d1", UNKNOWN]
    assert resource.properties()["agent"] == {"client_ca_file": UNKNOWN}
    with pytest.raises(InvalidInput, match=r"agent\.log_level"):
        Computation.parse({**example, "agent": {"client_ca_file": UNKNOWN, "log_level": "loud"}})


def test_a_rule_that_spans_fields_waits_until_all_are_known() -> None:
    ConfidentialVM.parse({"workspace": "w", "provider": "gcp", "vcpus": UNKNOWN})
    CertificateBundle.parse({"validity": UNKNOWN, "renew_before": "900d"})
    with pytest.raises(InvalidInput, match="no sev-snp machine with 3 vCPUs"):
        ConfidentialVM.parse({"workspace": "w", "provider": "gcp", "vcpus": 3})


def test_secret_outputs_are_the_keys_of_a_bundle() -> None:
    secret = {kind: model.secret_output_names() for kind, model in KINDS.items()}
    assert secret.pop("CertificateBundle") == (
        "ca_key",
        "next_ca_key",
        "server_key",
        "client_key",
        "parties",
    )
    assert not any(secret.values())


def test_a_resource_can_take_on_what_is_learned_later() -> None:
    vm = ConfidentialVM.parse(EXAMPLES["ConfidentialVM"]).with_(
        agent_address="127.0.0.1:7002", status="online"
    )
    assert vm.properties()["agent_address"] == "127.0.0.1:7002"
    with pytest.raises(InvalidInput):
        vm.with_(status="dancing")


def test_a_measurement_has_one_spelling_and_a_list_of_them_no_order() -> None:
    policy = AttestationPolicy.parse(EXAMPLES["AttestationPolicy"])
    assert policy.measurement == "ab" * 48
    assert policy.accept == ("ab" * 48, "cd" * 48)
    assert policy.launch is not None
    assert policy.launch.cmdline == " quiet "
    for wrong in ("ab" * 47, "q6ur", "measurement"):
        with pytest.raises(InvalidInput, match="must be a launch measurement of 48 bytes"):
            policy.with_(measurement=wrong)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vm": "v"}, "comes from a VM or is declared"),
        ({"expectations": None, "launch": None, "measurement": None}, "comes from a VM or is declared"),
        ({"expectations": None, "vm": "v"}, r"minimum_tcb: the policy of a VM has the least TCB"),
        ({"reference_values": "policy.cose"}, "reference_values: reference values count by their signature"),
        ({"launch": {"firmware": "f", "initrd": "i"}}, r"launch\.initrd: belongs to a kernel"),
        ({"warn": {"vmpl": "tomorrow"}}, r'warn\.vmpl: "tomorrow" is no day'),
    ],
)
def test_a_policy_that_does_not_fit_together_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        AttestationPolicy.parse({**EXAMPLES["AttestationPolicy"], **fields})


def test_a_resource_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ConfidentialVM.parse(EXAMPLES["ConfidentialVM"]).vcpus = 8  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize("change", Change)
def test_every_change_says_what_it_means(change: Change) -> None:
    assert change.meaning.endswith(".")
    assert Rule(change).is_input is (change is not Change.COMPUTED)


def test_a_secret_rule_is_the_same_rule_and_secret() -> None:
    assert IN_PLACE.as_secret() == Rule(Change.IN_PLACE, secret=True)
    assert COMPUTED.as_secret(write_only=True) == Rule(Change.COMPUTED, secret=True, write_only=True)
