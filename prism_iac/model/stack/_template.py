"""Entries that are made from a pattern: templates with parameters, and one entry for each of many values."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from prism_iac.model._document import Document
from prism_iac.model._form import Form
from prism_iac.model._refusal import Refusal
from prism_iac.model.stack._name import EntryName, Reference
from prism_iac.model.stack._variable import ParameterEntry

__all__ = ["MadeEntry", "TemplateEntry"]


class TemplateEntry(Document):
    """What entries have in common; each that names it in `template` says the rest."""

    parameters: dict[EntryName, ParameterEntry] = Field(default_factory=dict)
    """What differs; `${param.NAME}` in `entry` stands for one."""

    entry: dict[str, Any]
    """The fields of an entry of any table. Fields beside `template` go over them, one by one."""


_MOST: Final = 100_000


def _combinable(value: Any) -> Any:
    if isinstance(value, dict) and value and all(isinstance(items, list | tuple) for items in value.values()):
        if prod(len(items) for items in value.values()) > _MOST:
            raise Refusal(f"this stands for more than {_MOST:,} entries", "Split it, or name fewer values.")
        return value
    is_listed = isinstance(value, list | tuple) and all(isinstance(item, dict) and item for item in value)
    if not is_listed or len({frozenset(item) for item in value}) > 1:
        raise Refusal(
            "must be lists by name, or a list of mappings with the same names",
            "Write `for_each: {region: [eu, us]}`, or `for_each: [{region: eu, vcpus: 2}]`.",
        )
    return value


Combinations = Annotated[
    Any,
    BeforeValidator(_combinable),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": ["array", "string"]}, "minProperties": 1},
                {"type": "array", "items": {"type": "object", "minProperties": 1}},
            ]
        }
    ),
    Form("lists by name, or a list of mappings"),
]
"""Values to combine."""


class MadeEntry(Document):
    """What an entry of any table says besides its own fields, so that it, or many like it, are made."""

    template: Reference | None = None
    """The template that gives the fields which are not said here."""

    values: dict[str, Any] = Field(default_factory=dict)
    """The values of the template's parameters, by name."""

    for_each: Combinations = ()
    """One entry for each: lists by name give every combination, a list of mappings each of them.

    `${each.NAME}` stands for a value, in the entry's name as well as in its fields.
    """
