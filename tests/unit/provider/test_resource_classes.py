"""The resource classes say by hand what the models say; these tests hold them together."""

from __future__ import annotations

import asyncio
import base64
import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi.dynamic.dynamic import serialize_provider

from prism_iac.lifecycle import HANDLERS
from prism_iac.model.resources import KINDS
from prism_iac.provider import dynamic, resources
from prism_iac.provider._declare import PrismResource
from tests.unit.provider.references import REFERENCE_PROTOCOL, REFERENCES

CLASSES: dict[str, type[PrismResource]] = {
    name: member
    for name, member in vars(resources).items()
    if isinstance(member, type) and issubclass(member, PrismResource)
}


def parameters_of(cls: type[PrismResource]) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(cls.__init__).parameters)
    return {name: item for name, item in parameters.items() if name not in ("self", "resource_name", "opts")}


def declaration_of(cls: type[PrismResource], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a class hands to its base."""
    declared: dict[str, Any] = {}

    def record(_self: object, provider: object, _name: str, inputs: dict[str, Any], **rest: Any) -> None:
        declared.update(rest, provider=provider, inputs=inputs)

    monkeypatch.setattr(PrismResource, "__init__", record)
    required = {
        name: "x" for name, item in parameters_of(cls).items() if item.default is inspect.Parameter.empty
    }
    construct: Callable[..., object] = cls
    construct("name", **required)
    return declared


def test_every_kind_has_a_class_and_a_handler() -> None:
    assert set(CLASSES) == set(KINDS) == set(HANDLERS) == set(REFERENCES)


@pytest.mark.parametrize("kind", sorted(KINDS))
class TestEachKind:
    def test_takes_the_inputs_of_its_model(self, kind: str) -> None:
        assert set(parameters_of(CLASSES[kind])) == set(KINDS[kind].input_names())

    def test_asks_for_what_its_model_cannot_do_without(self, kind: str) -> None:
        required = {
            n for n, p in parameters_of(CLASSES[kind]).items() if p.default is inspect.Parameter.empty
        }
        demanded = {name for name, field in KINDS[kind].model_fields.items() if field.is_required()}
        # The class or the provider's configuration fills these in.
        assert required == demanded - {"workspace", "name"}

    def test_passes_every_input_on(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert set(declaration_of(CLASSES[kind], monkeypatch)["inputs"]) == set(KINDS[kind].input_names())

    def test_declares_the_outputs_of_its_model(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        computed = {name for name, rule in KINDS[kind].rules().items() if not rule.is_input} - {"identity"}
        assert set(declaration_of(CLASSES[kind], monkeypatch)["outputs"]) == computed

    def test_marks_the_secrets_of_its_model(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        marked = declaration_of(CLASSES[kind], monkeypatch).get("secret_outputs", ())
        assert tuple(marked) == KINDS[kind].secret_output_names()

    def test_replaces_in_the_order_of_its_handler(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        first = declaration_of(CLASSES[kind], monkeypatch).get("deletes_first", False)
        assert first is HANDLERS[kind].replaces_by_deleting_first

    def test_types_only_what_its_model_has(self, kind: str) -> None:
        assert CLASSES[kind].output_names <= set(KINDS[kind].model_fields)

    def test_leaves_the_sdk_the_types_of_its_whole_numbers(self, kind: str) -> None:
        numbers = {"ConfidentialVM": {"vcpus"}, "ComputationRun": {"number"}}
        assert set(inspect.get_annotations(CLASSES[kind])) == numbers.get(kind, set())

    def test_is_served_by_its_provider(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        provider = declaration_of(CLASSES[kind], monkeypatch)["provider"]
        assert type(provider).__name__ == f"{kind}Provider"
        assert provider.kind == kind

    def test_has_a_frozen_token(self, kind: str) -> None:
        assert CLASSES[kind]._resource_type_name == f"dynamic/prism:{kind}"

    def test_is_named_in_state_by_frozen_bytes(self, kind: str) -> None:
        provider = getattr(dynamic, f"{kind}Provider")
        if pickle.DEFAULT_PROTOCOL == REFERENCE_PROTOCOL:
            assert serialize_provider(provider()) == REFERENCES[kind]
        restored = pickle.loads(base64.b64decode(REFERENCES[kind]))  # noqa: S301  # our own bytes
        assert type(restored) is provider


@pytest.fixture
def loop() -> Iterator[None]:
    """What a program runs in, and outputs are made on."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop)))
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("loop")
def test_a_plain_private_key_becomes_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: dict[str, Any] = {}
    monkeypatch.setattr(
        PrismResource, "__init__", lambda _self, _provider, _name, inputs, **_: declared.update(inputs)
    )
    resources.Computation("c", description="d", agent={"server_key": "-----BEGIN PRIVATE KEY-----"})
    assert isinstance(declared["agent"]["server_key"], pulumi.Output)


@pytest.mark.usefixtures("loop")
def test_brought_private_keys_and_their_passphrase_become_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: dict[str, Any] = {}
    monkeypatch.setattr(
        PrismResource, "__init__", lambda _self, _provider, _name, inputs, **_: declared.update(inputs)
    )
    files = {"ca_certificate": "ca.pem", "server_key": "key.pem", "passphrase": "sesame"}
    resources.CertificateBundle("b", source="files", files=files)
    secret = {name for name, value in declared["files"].items() if isinstance(value, pulumi.Output)}
    assert secret == {"server_key", "passphrase"}
