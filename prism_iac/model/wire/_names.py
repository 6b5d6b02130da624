"""Between the names of the models and those on the wire of the native face.

Packages of every language are generated from one schema, whose names are in camel case by convention. Names
inside free mappings, such as a policy's expectations, are data and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from prism_iac.model import Rule

__all__ = ["camel", "from_wire", "secret_names", "to_wire"]


@dataclass(frozen=True, slots=True)
class _Member:
    """One field: its name on either side, and the model of its value or of the values in it."""

    model_name: str
    wire_name: str
    nested: type[BaseModel] | None
    is_by_name: bool
    """Whether the value holds such models under names, which are data."""


def camel(name: str) -> str:
    """A name of a field as it stands on the wire: `log_level` is `logLevel`."""
    first, *others = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in others)


def to_wire(model: type[BaseModel], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties under the names of the wire."""
    members = {member.model_name: member for member in _members(model)}
    return _renamed(properties, members, lambda member: member.wire_name, to_wire)


def from_wire(model: type[BaseModel], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties under the names of the model; a name that is none of the wire's stays, to be refused."""
    members = {member.wire_name: member for member in _members(model)}
    return _renamed(properties, members, lambda member: member.model_name, from_wire)


def _renamed(
    properties: Mapping[str, Any],
    members: Mapping[str, _Member],
    name_of: Callable[[_Member], str],
    rename: Callable[[type[BaseModel], Mapping[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    def value_of(value: Any, member: _Member) -> Any:
        if member.nested is None:
            return value
        if isinstance(value, list):
            return [value_of(item, member) for item in value]
        if member.is_by_name and isinstance(value, Mapping):
            return {
                key: rename(member.nested, item) if isinstance(item, Mapping) else item
                for key, item in value.items()
            }
        return rename(member.nested, value) if isinstance(value, Mapping) else value

    renamed: dict[str, Any] = {}
    for name, value in properties.items():
        member = members.get(name)
        if member is None:
            renamed[name] = value
        else:
            renamed[name_of(member)] = value_of(value, member)
    return renamed


@cache
def secret_names(model: type[BaseModel]) -> frozenset[str]:
    """The names on the wire of every secret field, those of nested models too."""
    own = {
        camel(name)
        for name, field in model.model_fields.items()
        if any(isinstance(item, Rule) and item.secret for item in field.metadata)
    }
    return frozenset(own).union(
        *(secret_names(member.nested) for member in _members(model) if member.nested is not None)
    )


@cache
def _members(model: type[BaseModel]) -> tuple[_Member, ...]:
    return tuple(
        _Member(name, camel(name), _nested(field.annotation), _is_by_name(field.annotation))
        for name, field in model.model_fields.items()
    )


def _nested(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for item in get_args(annotation) if (found := _nested(item)) is not None), None)


def _is_by_name(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(_is_by_name(item) for item in get_args(annotation))
