"""Finds the way through a model: who owns the field at a location, and which fields are secret or settable."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel

from prism_iac.model._change import Rule

__all__ = ["is_secret", "owner_of", "settable_fields"]


def owner_of(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that the last part of a location is a field of; None where that is no model."""
    owner: Any = model
    for part in location[:-1]:
        owner = _step(owner, part)
    return owner if _is_model(owner) else None


def is_secret(model: type[BaseModel], location: tuple[int | str, ...]) -> bool:
    """Whether a location lies in a field whose rule says that its value is secret."""
    owner: Any = model
    for part in location:
        field = owner.model_fields.get(str(part)) if _is_model(owner) else None
        if field and any(isinstance(item, Rule) and item.secret for item in field.metadata):
            return True
        owner = _step(owner, part)
    return False


def settable_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that people set."""
    computed = {
        name
        for name, field in model.model_fields.items()
        if any(isinstance(item, Rule) and not item.is_input for item in field.metadata)
    }
    return tuple(name for name in model.model_fields if name not in computed)


def _step(owner: Any, part: int | str) -> Any:
    if _is_model(owner):
        field = owner.model_fields.get(str(part))
        return _without_none(field.annotation) if field else None
    elements = [item for item in get_args(owner) if item is not Ellipsis]
    return _without_none(elements[-1]) if elements else None


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (dict, list, tuple):
        return annotation
    choices = [item for item in get_args(annotation) if item is not type(None)]
    return choices[0] if choices else annotation


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
