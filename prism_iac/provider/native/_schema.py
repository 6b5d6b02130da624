"""The package schema, from which the engine's tools make packages for every language.

All of it comes from the models: types, descriptions, defaults, secrets, what replaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from prism_iac._engine import NATIVE_TYPES, STACK_FILE_TYPE
from prism_iac._version import __version__
from prism_iac.model import CONFIGURATION, Change, Rule
from prism_iac.model.resources import KINDS, ResourceModel
from prism_iac.model.schema import field_words, words_of
from prism_iac.model.wire import camel
from prism_iac.provider.native._functions import FUNCTIONS

__all__ = ["package_schema", "token"]

_FILLED_IN: Final = frozenset({"workspace", "name"})
"""Required fields that the provider fills in: from its configuration, and from the logical name."""

_PLAIN: Final[Mapping[Any, str]] = {str: "string", bool: "boolean", int: "integer", float: "number"}

_ANY: Final = {"$ref": "pulumi.json#/Any"}
_BY_NAME: Final = {"type": "object", "additionalProperties": _ANY}

_STACK_FILE: Final = {
    "isComponent": True,
    "description": "Everything that a stack file declares.",
    "inputProperties": {
        "path": {"type": "string", "plain": True, "description": "The stack file, from the program's folder."}
    },
    "requiredInputs": ["path"],
    "properties": {
        "computations": {**_BY_NAME, "description": "The id of each computation."},
        "vms": {**_BY_NAME, "description": "The id and the agent's address of each VM."},
        "runs": {**_BY_NAME, "description": "The id, number and manifest digest of each run."},
        "certificates": {**_BY_NAME, "description": "What participants need of each bundle."},
    },
    "required": ["computations", "vms", "runs", "certificates"],
}


def token(name: str) -> str:
    """The type token of a resource, a type or a function."""
    return f"{NATIVE_TYPES}{name}"


@cache
def package_schema() -> Mapping[str, Any]:
    """The schema as the engine's tools read it."""
    settings = {
        name: {"type": "string", "description": key.words, **({"secret": True} if key.is_secret else {})}
        for name, key in CONFIGURATION.items()
    }
    return {
        "name": "prism",
        "version": __version__,
        "displayName": "Prism",
        "description": "Confidential computations as code.",
        "keywords": ["pulumi", "prism", "kind/native", "category/infrastructure"],
        "license": "Apache-2.0",
        "config": {"variables": settings},
        "provider": {
            "description": "Where Prism is and who acts there.",
            "inputProperties": settings,
            "properties": settings,
        },
        "resources": {
            **{token(kind): _resource(model) for kind, model in KINDS.items()},
            STACK_FILE_TYPE: _STACK_FILE,
        },
        "types": {token(name): spec for name, spec in sorted(_types().items())},
        "functions": {token(name): function.schema for name, function in FUNCTIONS.items()},
        "language": {
            "nodejs": {"packageName": "@prism-iac/prism", "respectSchemaVersion": True},
            "python": {
                "packageName": "pulumi_prism",
                "respectSchemaVersion": True,
                "pyproject": {"enabled": True},
            },
            "go": {
                "importBasePath": "prism-iac/sdk/go/prism",
                "generateResourceContainerTypes": True,
                "respectSchemaVersion": True,
            },
        },
    }


def _resource(model: type[ResourceModel]) -> dict[str, Any]:
    words = field_words(model)
    inputs = {name: field for name, field in model.model_fields.items() if model.rules()[name].is_input}
    return {
        "description": words_of(model),
        "inputProperties": {camel(name): _property(field, words[name]) for name, field in inputs.items()},
        "requiredInputs": [
            camel(name) for name, field in inputs.items() if field.is_required() and name not in _FILLED_IN
        ],
        "properties": {
            camel(name): _property(field, words[name], is_output=True)
            for name, field in model.model_fields.items()
        },
        "required": [
            camel(name)
            for name, field in model.model_fields.items()
            if field.is_required()
            or field.get_default(call_default_factory=True, validated_data={}) is not None
        ],
    }


def _property(field: FieldInfo, description: str, *, is_output: bool = False) -> dict[str, Any]:
    spec = {**_type(field.annotation), "description": description}
    rule = next((item for item in field.metadata if isinstance(item, Rule)), None)
    if rule is not None and rule.secret:
        spec["secret"] = True
    if rule is not None and rule.change is Change.REPLACE and not is_output:
        spec["willReplaceOnChanges"] = True
    if isinstance(field.default, str | bool | int) and not is_output:
        spec["default"] = field.default.value if isinstance(field.default, Enum) else field.default
    return spec


def _type(annotation: Any) -> dict[str, Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, UnionType):
        return _type(next(item for item in arguments if item is not type(None)))
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(arguments[1])}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Enum):
        return {"$ref": f"#/types/{token(annotation.__name__)}"}
    return {"type": _PLAIN[annotation]} if annotation in _PLAIN else {"$ref": "pulumi.json#/Any"}


def _types() -> dict[str, Any]:
    """Every model and word list that the resources mention, by name."""
    found: dict[str, Any] = {}
    for model in KINDS.values():
        for field in model.model_fields.values():
            for named in _mentioned(field.annotation):
                found[named.__name__] = _named_type(named)
    return found


def _mentioned(annotation: Any) -> Iterator[type[BaseModel | Enum]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Enum):
        yield annotation
        if issubclass(annotation, BaseModel):
            for field in annotation.model_fields.values():
                yield from _mentioned(field.annotation)
    for argument in get_args(annotation):
        yield from _mentioned(argument)


def _named_type(named: type[BaseModel | Enum]) -> dict[str, Any]:
    if issubclass(named, Enum):
        return {
            "type": "string",
            "description": words_of(named),
            "enum": [
                {"name": choice.name.title().replace("_", ""), "value": choice.value} for choice in named
            ],
        }
    words = field_words(named)
    return {
        "type": "object",
        "description": words_of(named),
        "properties": {
            camel(name): _property(field, words.get(name, "")) for name, field in named.model_fields.items()
        },
        "required": [camel(name) for name, field in named.model_fields.items() if field.is_required()],
    }
