"""Rewrites the state of a stack between the two faces: dynamic resources, and those of the native plugin.

Objects, ids and identities stay. What differs is how the engine refers to them: type tokens and with them URNs,
names of properties, the provider, and the pickled provider that a dynamic resource keeps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from prism_iac._engine import DYNAMIC_TYPES, NATIVE_TYPES, PROVIDER_KEY, PROVIDER_TYPES, SIGNATURE
from prism_iac.errors import Conflict
from prism_iac.model.resources import KINDS
from prism_iac.model.wire import from_wire, to_wire
from prism_iac.provider import dynamic

__all__ = ["Face", "convert"]

_CONFIG: Final = "prism:"
_PROPERTY_NAMES: Final = ("additionalSecretOutputs", "ignoreChanges", "replaceOnChanges")


class Face(StrEnum):
    """How resources are served."""

    DYNAMIC = "dynamic"
    NATIVE = "native"

    @property
    def other(self) -> Face:
        """The other one."""
        return Face.NATIVE if self is Face.DYNAMIC else Face.DYNAMIC

    @property
    def tokens(self) -> str:
        """What the type tokens of its resources begin with."""
        return {Face.DYNAMIC: DYNAMIC_TYPES, Face.NATIVE: NATIVE_TYPES}[self]

    @property
    def package(self) -> str:
        """The package of its provider."""
        return {Face.DYNAMIC: "pulumi-python", Face.NATIVE: "prism"}[self]


def convert(deployment: Mapping[str, Any], *, to: Face) -> dict[str, Any]:
    """A deployment with its resources at the other face.

    Args:
        deployment: As `pulumi stack export --show-secrets` gives it: secrets in plain.
        to: The face.

    Raises:
        Conflict: Operations are pending, whose outcome the state does not know; or no resource is to be moved.
    """
    inner = deployment["deployment"]
    if inner.get("pending_operations"):
        raise Conflict(
            "the state has operations that were cut off",
            next_step="Run `prism-iac repair` first, which finds out how they ended.",
        )
    resources: list[dict[str, Any]] = inner.get("resources") or []
    urns = dict(_moved_urns(resources, to))
    if not urns:
        raise Conflict(
            f"the state has no resource of the {to.other} face", next_step="Nothing is to be done."
        )
    moved = [_moved(resource, to) if resource["urn"] in urns else resource for resource in resources]
    return {**deployment, "deployment": {**inner, "resources": _with_urns(moved, urns)}}


def _moved_urns(resources: list[dict[str, Any]], to: Face) -> Iterator[tuple[str, str]]:
    """The URN of each resource of the other face, and the one that it gets."""
    used = {
        resource.get("provider", "").rpartition("::")[0]
        for resource in resources
        if _kind(resource, to.other)
    }
    for resource in resources:
        urn = resource["urn"]
        if kind := _kind(resource, to.other):
            yield urn, _with_type(urn, f"{to.tokens}{kind}")
        elif urn in used:
            yield urn, _with_type(urn, f"{PROVIDER_TYPES}{to.package}")


def _kind(resource: Mapping[str, Any], face: Face) -> str | None:
    kind = str(resource["type"]).removeprefix(face.tokens)
    return kind if resource["type"].startswith(face.tokens) and kind in KINDS else None


def _with_type(urn: str, token: str) -> str:
    stack, project, types, name = urn.split("::", 3)
    parents, dollar, _ = types.rpartition("$")
    return "::".join((stack, project, f"{parents}{dollar}{token}", name))


def _moved(resource: Mapping[str, Any], to: Face) -> dict[str, Any]:
    kind = _kind(resource, to.other)
    if kind is None:
        return {
            **resource,
            "type": f"{PROVIDER_TYPES}{to.package}",
            "inputs": _configuration(resource.get("inputs", {}), to),
            "outputs": _configuration(resource.get("outputs", {}), to),
        }
    rename = to_wire if to is Face.NATIVE else from_wire
    moved = {
        **resource,
        "type": f"{to.tokens}{kind}",
        "inputs": _properties(resource.get("inputs", {}), kind, to),
        "outputs": _properties(resource.get("outputs", {}), kind, to),
    }
    if "propertyDependencies" in resource:
        moved["propertyDependencies"] = rename(
            KINDS[kind], _without_provider(resource["propertyDependencies"])
        )
    for key in _PROPERTY_NAMES:
        if key in resource:
            moved[key] = list(rename(KINDS[kind], dict.fromkeys(resource[key])))
    if to is Face.DYNAMIC:
        moved["additionalSecretOutputs"] = list(KINDS[kind].secret_output_names())
    return {key: value for key, value in moved.items() if value not in ([], None)}


def _properties(properties: Mapping[str, Any], kind: str, to: Face) -> dict[str, Any]:
    rename = to_wire if to is Face.NATIVE else from_wire
    moved: dict[str, Any] = {} if to is Face.NATIVE else {PROVIDER_KEY: _pickled(kind)}
    for name, value in _without_provider(properties).items():
        if isinstance(value, Mapping) and SIGNATURE in value:
            # Names within a secret value are in the text that the engine encrypts.
            ((new_name, plain),) = rename(KINDS[kind], {name: json.loads(value["plaintext"])}).items()
            moved[new_name] = {**value, "plaintext": json.dumps(plain)}
        else:
            moved |= rename(KINDS[kind], {name: value})
    return moved


def _configuration(settings: Mapping[str, Any], to: Face) -> dict[str, Any]:
    if to is Face.NATIVE:
        return {
            name.removeprefix(_CONFIG): value for name, value in settings.items() if name.startswith(_CONFIG)
        }
    return {f"{_CONFIG}{name}": value for name, value in settings.items() if name != "version"}


def _without_provider(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != PROVIDER_KEY}


def _pickled(kind: str) -> str:
    from pulumi.dynamic.dynamic import serialize_provider

    return str(serialize_provider(getattr(dynamic, f"{kind}Provider")()))


def _with_urns(value: Any, urns: Mapping[str, str]) -> Any:
    """A part of a deployment, every mention of a URN replaced, those with the id of a provider too."""
    if isinstance(value, str):
        urn, colons, rest = value.rpartition("::")
        return urns.get(value) or (f"{urns[urn]}{colons}{rest}" if urn in urns else value)
    if isinstance(value, Mapping):
        return {key: _with_urns(item, urns) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_urns(item, urns) for item in value]
    return value
