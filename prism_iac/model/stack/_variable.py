"""Values that the rest of a stack refers to: variables, which environments set, and parameters of templates."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from pydantic import model_validator

from prism_iac.model._canonical import Text, parse_duration
from prism_iac.model._document import Document
from prism_iac.model._refusal import Refusal
from prism_iac.model._words import shown

__all__ = ["ParameterEntry", "VariableEntry", "VariableType"]


class VariableType(StrEnum):
    """What a variable may be."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DURATION = "duration"
    LIST = "list"

    def admits(self, value: Any) -> bool:
        """Whether a value is of this type."""
        match self:
            case VariableType.STRING:
                return isinstance(value, str)
            case VariableType.BOOLEAN:
                return isinstance(value, bool)
            case VariableType.INTEGER:
                return isinstance(value, int) and not isinstance(value, bool)
            case VariableType.NUMBER:
                return isinstance(value, int | float) and not isinstance(value, bool)
            case VariableType.LIST:
                return isinstance(value, list | tuple)
            case VariableType.DURATION:
                return isinstance(value, str) and _is_duration(value)


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


class ParameterEntry(Document):
    """A value that a template leaves open: `${param.NAME}` stands for it in the template."""

    type: VariableType = VariableType.STRING
    """`string`, `integer`, `number`, `boolean`, `duration` or `list`."""

    description: Text | None = None
    """What it is for."""

    default: Any = None
    """What it is where nothing sets it; without one it has to be set."""

    @model_validator(mode="after")
    def _is_of_its_type(self) -> Self:
        for field in ("default", "value"):
            given = getattr(self, field, None)
            if given is not None and not self.type.admits(given):
                raise Refusal(
                    f"must be of the declared type {self.type}, not {shown(given)}",
                    "Correct the value, or the type.",
                    field=field,
                )
        return self


class VariableEntry(ParameterEntry):
    """A variable: `${var.NAME}` stands for it, as a whole value of its own type or within a text."""

    value: Any = None
    """What it is in this environment."""
