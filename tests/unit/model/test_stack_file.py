from __future__ import annotations

from typing import Final

import pytest
from pydantic import ValidationError

from prism_iac.model import Refusal
from prism_iac.model.resources import KINDS
from prism_iac.model.stack import TABLES, StackFile, parse_endpoint, parse_name


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("embedded", "embedded"),
        (" https://prism.example.com/ ", "https://prism.example.com"),
        ("https://PRISM.example.com:8443/api/", "https://prism.example.com:8443/api"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://127.0.0.2", "http://127.0.0.2"),
        ("http://[::1]:9000/", "http://[::1]:9000"),
        ("HTTPS://prism.example.com", "https://prism.example.com"),
    ],
)
def test_an_endpoint_has_one_spelling(text: str, endpoint: str) -> None:
    assert parse_endpoint(text) == endpoint
    assert parse_endpoint(endpoint) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prism.example.com",
        "https://",
        "http://prism.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://prism.example.com",
        "https://prism.example.com?token=1",
        "https://prism.example.com#top",
        "https://prism.example.com:99999",
        "https://[::1",
        "https://user@prism.example.com",
        "https://:secret@prism.example.com",
    ],
)
def test_what_is_no_safe_endpoint_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_endpoint(text)
    assert refused.value.fix
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("name", ["a", "iris-regression", "lin_reg.v2", "7", "A" * 100])
def test_a_name_fits_everywhere(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "a:b", "é", "a\n", "A" * 101])
def test_a_name_that_would_not_fit_somewhere_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        parse_name(name)


def test_tables_are_the_fields_that_hold_entries() -> None:
    assert [name for name in StackFile.model_fields if name in TABLES] == list(TABLES)
    for name, model in TABLES.items():
        assert model.__name__ in str(StackFile.model_fields[name].annotation)


FOLLOWS: Final[dict[str, dict[str, str]]] = {
    "Computation": {"workspace": "the stack's", "name": "the entry's"},
    "Asset": {"workspace": "the stack's", "asset_type": "kind"},
    "ConfidentialVM": {"workspace": "the stack's", "policy": "attestation_policy"},
    "CertificateBundle": {"workspace": "the stack's"},
    "AttestationPolicy": {
        "workspace": "the stack's",
        "launch_digests": "computed",
        "requires_approval": "the environment's name",
    },
    "ComputationRun": {"workspace": "the stack's", "computation": "the entry's"},
    "Participant": {"workspace": "the stack's", "computation": "the entry's", "actions": "participants"},
    "PublicKey": {"workspace": "the stack's", "computation": "the entry's", "key": "public_key"},
}
"""What of a resource a stack file says by another name, or needs not say."""

SAID_BY: Final = {
    "Computation": "computations",
    "ComputationRun": "computations",
    "Asset": "assets",
    "ConfidentialVM": "vms",
    "CertificateBundle": "certificates",
    "AttestationPolicy": "attestation_policies",
    "Participant": "participants",
    "PublicKey": "participants",
}


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_a_resource_takes_can_be_said_in_a_stack_file(kind: str) -> None:
    said = TABLES[SAID_BY[kind]].model_fields.keys()
    assert {*KINDS[kind].input_names()} - said == FOLLOWS[kind].keys()


def test_an_empty_stack_needs_an_environment_and_a_workspace() -> None:
    assert StackFile.model_validate({"environment": "dev", "workspace": "w"}).endpoint == "embedded"
    with pytest.raises(ValidationError):
        StackFile.model_validate({"environment": "dev"})
