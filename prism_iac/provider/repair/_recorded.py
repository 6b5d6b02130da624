"""A resource of ours in the state of a stack, at either face, and the plain values that handlers know.

The state is that of `pulumi stack export --show-secrets`: a secret is a mapping with its JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prism_iac._engine import DYNAMIC_TYPES, NATIVE_TYPES, PROVIDER_KEY, SECRET_MARK, SIGNATURE
from prism_iac.model.resources import KINDS
from prism_iac.model.wire import camel, from_wire, secret_names, to_wire

__all__ = ["is_native", "kind_of", "name_of", "opened", "plain", "with_state"]

_OF_ITS_PAST: Final = ("delete", "pendingReplacement", "initErrors")
"""What the state says of a resource whose last step did not end well."""


def kind_of(resource: Mapping[str, Any]) -> str | None:
    """The kind of a resource of ours; None for every other."""
    token = str(resource.get("type", ""))
    kind = token.removeprefix(NATIVE_TYPES if is_native(resource) else DYNAMIC_TYPES)
    return kind if kind != token and kind in KINDS else None


def is_native(resource: Mapping[str, Any]) -> bool:
    """Whether it is one of the native plugin."""
    return str(resource.get("type", "")).startswith(NATIVE_TYPES)


def name_of(resource: Mapping[str, Any]) -> str:
    """The logical name."""
    return str(resource["urn"]).rpartition("::")[2]


def plain(resource: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The `inputs` or `outputs` of a resource of ours under the names of its model, secrets in plain."""
    properties = {
        name: opened(value)
        for name, value in (resource.get(part) or {}).items()
        if name != PROVIDER_KEY and value is not None
    }
    kind = kind_of(resource)
    assert kind is not None, "the caller has looked"
    return from_wire(KINDS[kind], properties) if is_native(resource) else properties


def opened(value: Any) -> Any:
    """A value of the state with its secrets in plain."""
    if _is_secret(value):
        return opened(json.loads(value["plaintext"]))
    if isinstance(value, Mapping):
        return {name: opened(item) for name, item in value.items()}
    return [opened(item) for item in value] if isinstance(value, list) else value


def with_state(
    resource: Mapping[str, Any],
    *,
    object_id: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    unfinished: str | None = None,
) -> dict[str, Any]:
    """The resource as the state is to hold it.

    Args:
        resource: As it, or its operation, is now.
        object_id: The id of the object.
        inputs: Under the names of the model, in plain.
        outputs: All properties, in the same form.
        unfinished: Why the next update has to go on with it; None where it does not.
    """
    kept = {name: value for name, value in resource.items() if name not in _OF_ITS_PAST}
    return {
        **kept,
        "custom": True,
        "id": object_id,
        "inputs": _as_recorded(resource, inputs),
        "outputs": _as_recorded(resource, outputs),
        **({"initErrors": [unfinished]} if unfinished else {}),
    }


def _as_recorded(resource: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    kind = kind_of(resource)
    assert kind is not None, "the caller has looked"
    secret = secret_names(KINDS[kind]) | {
        camel(name) for part in ("inputs", "outputs") for name in _secrets(resource.get(part) or {})
    }
    named = to_wire(KINDS[kind], properties) if is_native(resource) else dict(properties)
    provider = (resource.get("inputs") or {}).get(PROVIDER_KEY)
    return {**({PROVIDER_KEY: provider} if provider else {}), **_sealed(named, secret)}


def _sealed(value: Any, secret: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            name: {SIGNATURE: SECRET_MARK, "plaintext": json.dumps(item)}
            if camel(name) in secret and item is not None
            else _sealed(item, secret)
            for name, item in value.items()
        }
    return [_sealed(item, secret) for item in value] if isinstance(value, list) else value


def _secrets(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, value in properties.items():
        if _is_secret(value):
            yield name
        elif isinstance(value, Mapping):
            yield from _secrets(value)


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET_MARK
