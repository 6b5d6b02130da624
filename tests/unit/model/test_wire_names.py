from __future__ import annotations

from typing import Any

import pytest

from prism_iac.model.resources import KINDS, AttestationPolicy, Computation, ConfidentialVM
from prism_iac.model.wire import camel, from_wire, secret_names, to_wire
from tests.unit.model.test_kinds import EXAMPLES


@pytest.mark.parametrize("kind", KINDS)
def test_names_go_to_the_wire_and_back(kind: str) -> None:
    properties = KINDS[kind].parse(EXAMPLES[kind]).properties()
    assert from_wire(KINDS[kind], to_wire(KINDS[kind], properties)) == properties


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_fields_share_a_name_on_the_wire(kind: str) -> None:
    names = [camel(name) for name in KINDS[kind].model_fields]
    assert len(names) == len(set(names))
    assert not {"id", "urn", "pulumi"}.intersection(names)


def test_names_within_are_those_of_the_wire_too() -> None:
    assert to_wire(Computation, {"result_consumers": ["ada"], "agent": {"log_level": "info"}}) == {
        "resultConsumers": ["ada"],
        "agent": {"logLevel": "info"},
    }
    assert to_wire(ConfidentialVM, {"limits": {"memory_mib": 512.0}}) == {"limits": {"memoryMib": 512.0}}


def test_names_that_are_data_stay() -> None:
    properties: dict[str, Any] = {
        "expectations": {"minimum_tcb": {"snp_svn": 8}},
        "warn": {"debug_ok": "2027-01-01"},
    }
    assert to_wire(AttestationPolicy, properties) == properties


def test_a_name_that_nobody_knows_stays_to_be_refused() -> None:
    assert from_wire(Computation, {"colour": "red", "logLevel": "info"}) == {
        "colour": "red",
        "logLevel": "info",
    }


def test_secret_names_are_those_of_nested_fields_too() -> None:
    assert secret_names(Computation) == {"serverKey"}
    assert {"caKey", "serverKey", "clientKey"} <= secret_names(KINDS["CertificateBundle"])


def test_no_secret_shares_its_name_with_what_is_shown() -> None:
    for model in KINDS.values():
        shown = {camel(name) for name, rule in model.rules().items() if not rule.secret}
        assert not shown & secret_names(model)
