"""What the engine wrote of a preview, as typed values.

Three documents of it are joined, for none of them says all. `preview --json` has the steps, their reasons and
what is wrong, and masks secrets. The plan that `--save-plan` writes has the new inputs, and the exported state
the old ones, both with secrets when asked to show them. A dynamic resource has no outputs in a preview of an
update: what is computed is not known before (pulumi-provider.md sections 4.2 and 4.3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prism_iac._engine import NATIVE_TYPES, PROVIDER_KEY, PROVIDER_TYPES, SIGNATURE, UNKNOWN_TEXT
from prism_iac.model import UNKNOWN
from prism_iac.model.resources import KINDS
from prism_iac.model.wire import from_wire

__all__ = ["Preview", "Resource", "Secret", "plain", "properties_of", "read_preview"]

_MASKED: Final = "[secret]"
_ENGINES_OWN: Final = ("pulumi:pulumi:", PROVIDER_TYPES)
_PREAMBLE: Final = re.compile(r"^error: (\S+ resource '[^']*' has a problem: )?")
"""What the engine says before each error, and before each finding of a check, whose resource is told anyhow."""

_PARTS_OF_A_REPLACEMENT: Final = frozenset({"create-replacement", "delete-replaced", "discard-replaced"})


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be shown."""

    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a preview.

    Attributes:
        op: The engine's word for what becomes of it: `same`, `create`, `update`, `replace`, `delete`, ...
        kind: The last part of its type token.
        is_ours: Whether it is a resource of this package.
        name: The logical name.
        id: That of the live object; empty where there is none.
        old: The inputs in state; None for a create.
        state: The inputs and outputs in state; None for a create.
        new: The checked inputs; None for a delete.
        uses: The resources that an input comes from, by input.
        replaces: The properties for which the engine replaces it.
    """

    op: str
    urn: str
    type: str
    id: str = ""
    old: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replaces: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2] if self.is_ours else self.type

    @property
    def is_ours(self) -> bool:
        return "prism:" in self.type

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the engine would do.

    Attributes:
        resources: By URN, in the order of the engine; the stack itself and providers are left out.
        errors: Why there is no update to be had.
    """

    resources: Mapping[str, Resource] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


def read_preview(
    document: Mapping[str, Any], saved: Mapping[str, Any], deployment: Mapping[str, Any]
) -> Preview:
    """A preview from what the engine wrote.

    Args:
        document: That of `pulumi preview --json`.
        saved: That of `--save-plan` with secrets shown; empty where the preview failed.
        deployment: That of `pulumi stack export --show-secrets`; empty where there is no state.
    """
    recorded = {item["urn"]: item for item in deployment.get("resources") or []}
    planned = saved.get("resourcePlans") or {}
    resources = {
        step["urn"]: _resource(step, planned.get(step["urn"]) or {}, recorded.get(step["urn"]) or {})
        for step in document.get("steps") or []
        if step["op"] not in _PARTS_OF_A_REPLACEMENT
    }
    return Preview(
        {urn: item for urn, item in resources.items() if not item.type.startswith(_ENGINES_OWN)},
        _errors(document.get("diagnostics") or []),
    )


def plain(value: Any) -> Any:
    """A value with its secrets in clear, for comparisons alone."""
    match value:
        case Secret():
            return plain(value.value)
        case Mapping():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def _resource(step: Mapping[str, Any], planned: Mapping[str, Any], recorded: Mapping[str, Any]) -> Resource:
    old, new = step.get("oldState"), step.get("newState")
    either = new or old or {}
    token = str(either.get("type", ""))

    def named(bag: Mapping[str, Any]) -> dict[str, Any]:
        return properties_of(token, bag)

    uses = named(either.get("propertyDependencies") or {})
    return Resource(
        op=step["op"],
        urn=step["urn"],
        type=token,
        id=(old or {}).get("id", ""),
        old=None if old is None else named(_joined(old.get("inputs"), recorded.get("inputs"))),
        state=None if old is None else named(_joined(old.get("outputs"), recorded.get("outputs"))),
        new=None if new is None else named(_joined(new.get("inputs"), planned.get("state"))),
        uses={name: tuple(urns) for name, urns in uses.items() if urns and name != PROVIDER_KEY},
        replaces=tuple(sorted(named(dict.fromkeys(step.get("replaceReasons") or ())))),
    )


def properties_of(token: str, bag: Mapping[str, Any]) -> dict[str, Any]:
    """A property bag under the names of its model, whichever face declared the resource.

    Args:
        token: The resource's type token.
        bag: The properties under their names on the wire.
    """
    model = KINDS.get(token.removeprefix(NATIVE_TYPES)) if token.startswith(NATIVE_TYPES) else None
    if model is None:
        return dict(bag)
    return {
        renamed: Secret(inner) if isinstance(value, Secret) else inner
        for name, value in bag.items()
        # Names within a secret value are renamed as well.
        for renamed, inner in from_wire(
            model, {name: value.value if isinstance(value, Secret) else value}
        ).items()
    }


def _joined(masked: Any, unmasked: Any) -> dict[str, Any]:
    """A property bag whose masked values are those of the other document."""
    other = unmasked if isinstance(unmasked, Mapping) else {}
    return {
        name: _value(value, other.get(name)) for name, value in (masked or {}).items() if name != PROVIDER_KEY
    }


def _value(value: Any, unmasked: Any) -> Any:
    if isinstance(unmasked, Mapping) and SIGNATURE in unmasked:
        return _secret(unmasked)
    if value == _MASKED:
        # A text that reads like the mask is one, unless the other document has another value there.
        return Secret(value) if unmasked is None else unmasked
    if value == UNKNOWN_TEXT:
        return UNKNOWN
    if isinstance(value, Mapping):
        others = unmasked if isinstance(unmasked, Mapping) else {}
        return {name: _value(item, others.get(name)) for name, item in value.items()}
    if isinstance(value, list):
        parts = (
            unmasked if isinstance(unmasked, list) and len(unmasked) == len(value) else [None] * len(value)
        )
        return [_value(item, part) for item, part in zip(value, parts, strict=True)]
    return value


def _secret(wrapped: Mapping[str, Any]) -> Any:
    found = json.loads(wrapped["plaintext"]) if "plaintext" in wrapped else wrapped.get("value")
    return UNKNOWN if found == UNKNOWN_TEXT else Secret(_value(found, None))


def _errors(diagnostics: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What is wrong, each once, with the name of its resource."""
    said = []
    for item in diagnostics:
        if item.get("severity") != "error":
            continue
        name = str(item.get("urn") or "").rpartition("::")[2]
        text = _PREAMBLE.sub("", str(item["message"]).strip())
        said.append(f"{name}: {text}" if name else text)
    return tuple(dict.fromkeys(said))
