from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from prism_iac.model import Change
from prism_iac.model.resources import KINDS
from prism_iac.model.wire import camel
from prism_iac.provider.native._schema import package_schema

# Programs in every language name these; a stack's state has the tokens.
FROZEN_TOKENS = {
    "prism:index:Asset",
    "prism:index:AttestationPolicy",
    "prism:index:CertificateBundle",
    "prism:index:Computation",
    "prism:index:ComputationRun",
    "prism:index:ConfidentialVM",
    "prism:index:Participant",
    "prism:index:PublicKey",
    "prism:index:StackFile",
}
FROZEN_FUNCTIONS = {
    "prism:index:getAttestationPolicy",
    "prism:index:getComputation",
    "prism:index:getManifest",
    "prism:index:listComputations",
}


def test_tokens_never_change() -> None:
    assert set(package_schema()["resources"]) == FROZEN_TOKENS
    assert set(package_schema()["functions"]) == FROZEN_FUNCTIONS


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_there_with_what_it_means(kind: str) -> None:
    resource, rules = package_schema()["resources"][f"prism:index:{kind}"], KINDS[kind].rules()
    assert set(resource["properties"]) == {camel(name) for name in rules}
    inputs = {camel(name): rule for name, rule in rules.items() if rule.is_input}
    assert set(resource["inputProperties"]) == set(inputs)
    for name, spec in resource["inputProperties"].items():
        assert spec["description"].strip()
        assert spec.get("willReplaceOnChanges", False) is (inputs[name].change is Change.REPLACE)
        assert spec.get("secret", False) is inputs[name].secret
    for name, rule in rules.items():
        assert resource["properties"][camel(name)].get("secret", False) is rule.secret


def test_every_reference_leads_somewhere() -> None:
    schema = package_schema()
    references = {text for text in _texts(schema) if text.startswith("#/types/")}
    assert references == {f"#/types/{name}" for name in schema["types"]}


def test_what_the_provider_fills_in_is_not_asked_for() -> None:
    for resource in package_schema()["resources"].values():
        assert not {"workspace", "name", "identity"}.intersection(resource["requiredInputs"])


def test_names_are_such_as_every_language_takes() -> None:
    for resource in package_schema()["resources"].values():
        for name in resource["properties"]:
            assert re.fullmatch(r"[a-z][A-Za-z0-9]*", name)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
