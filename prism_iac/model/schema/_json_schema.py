"""JSON Schemas (draft 2020-12) of what people write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from prism_iac.model._change import Rule
from prism_iac.model._shape import settable_fields
from prism_iac.model.resources import KINDS
from prism_iac.model.schema._configuration import configuration_schema
from prism_iac.model.schema._manifest import MANIFEST_SCHEMA
from prism_iac.model.schema._stack import as_written
from prism_iac.model.schema._words import field_words, models_in, words_of
from prism_iac.model.stack import LockFile, MadeEntry, StackFile

__all__ = ["FROM_THE_PROVIDER", "file_stem", "schemas"]

FROM_THE_PROVIDER: Final = frozenset({"workspace"})
"""Inputs that the provider's configuration fills in."""


def schemas() -> Mapping[str, dict[str, Any]]:
    """Every schema by its name: `stack`, `lock`, `manifest`, `pulumi-config`, and one for the inputs of each kind."""
    return {
        "stack": as_written(
            _schema_of(StackFile, "Stack file", optional=frozenset()),
            _schema_of(MadeEntry, "Made entry", optional=frozenset()),
        ),
        "lock": _schema_of(LockFile, "Lock file", optional=frozenset()),
        "manifest": MANIFEST_SCHEMA,
        "pulumi-config": configuration_schema(),
        **{
            file_stem(kind): _schema_of(model, kind, optional=FROM_THE_PROVIDER)
            for kind, model in KINDS.items()
        },
    }


def file_stem(kind: str) -> str:
    """The name of a kind as files have it: `ConfidentialVM` is `confidential-vm`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()


def _schema_of(model: type[BaseModel], title: str, *, optional: frozenset[str]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    described = {nested.__name__: nested for nested in models_in(model)}
    for name, definition in definitions.items():
        if nested := described.get(name):
            _describe(definition, nested)
        else:
            _cite_nothing(definition)
    _describe(schema, model)
    schema["required"] = [name for name in schema.get("required", []) if name not in optional]
    head = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": title,
        "description": schema["description"],
    }
    used = _reachable(schema, definitions)
    return {**head, **schema, "title": title, **({"$defs": used} if used else {})}


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Add what the model says of itself and its fields; outputs are left out."""
    words = field_words(model)
    schema["description"] = words_of(model)
    schema["properties"] = {
        name: _field(schema["properties"][name], model.model_fields[name].metadata, words.get(name, ""))
        for name in settable_fields(model)
    }


def _field(schema: dict[str, Any], metadata: list[Any], description: str) -> dict[str, Any]:
    field = {key: value for key, value in schema.items() if key != "default" or value is not None}
    if description:
        field["description"] = description
    if "patternProperties" in field:
        field["additionalProperties"] = False
    for rule in metadata:
        if isinstance(rule, Rule):
            field["x-change"] = rule.change.value
            if rule.secret:
                field["x-secret"] = True
            if rule.write_only:
                field["writeOnly"] = True
    return field


def _cite_nothing(enumeration: dict[str, Any]) -> None:
    """An enumeration says what it is where it is used."""
    enumeration.pop("description", None)


def _reachable(schema: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definitions that are used, directly or by others, by name."""
    used: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for name in re.findall(r"'#/\$defs/(\w+)'", repr(waiting.pop())):
            if name not in used:
                used[name] = definitions[name]
                waiting.append(definitions[name])
    return dict(sorted(used.items()))
