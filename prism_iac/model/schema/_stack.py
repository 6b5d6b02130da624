"""The schema of stack files as people write them: in parts, with references, entries made from others.

What every stack has in the end is required of a file that stands alone. One that extends another, or is there to be
extended or included, says a part, and `null` removes what is below. Only `prism-iac validate` sees the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from prism_iac.model.stack import TABLES

__all__ = ["as_written"]

_REFERENCE: Final = {
    "type": "string",
    "pattern": r"\$\{(var|each|param)\.",
    "description": "A reference such as `${var.NAME}`.",
}
_NULL: Final = {"type": "null"}
_NAME: Final = r"^([A-Za-z0-9]|\$\{each\.)([A-Za-z0-9._-]|\$\{each\.[^}]+\})*$"
_BESIDE: Final = ("title", "description", "default", "x-change", "x-secret", "writeOnly")
"""What is said of a field, whatever its value may be."""


def as_written(whole: dict[str, Any], making: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of files, from that of a whole stack; changes and returns it.

    Args:
        whole: The schema of the stack file's model.
        making: The schema of what makes entries from others.
    """
    definitions = whole["$defs"]
    required: dict[str, list[str]] = {}
    for table in TABLES:
        (entry,) = whole["properties"][table]["patternProperties"].values()
        definition = definitions[entry["$ref"].rpartition("/")[2]]
        required[table] = definition.pop("required", [])
        whole["properties"][table]["patternProperties"] = {_NAME: {"anyOf": [entry, _NULL]}}
        definition["properties"] |= making["properties"]
    for name, schema in [*definitions.items(), ("", whole)]:
        if name not in ("VariableEntry", "ParameterEntry"):
            _admit(schema, removal=schema is not whole)
    definitions["TemplateEntry"]["properties"]["entry"] = {
        "anyOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in TABLES.values()],
        **_beside(definitions["TemplateEntry"]["properties"]["entry"]),
    }
    whole["$defs"] = dict(sorted({**definitions, "Reference": _REFERENCE}.items()))
    whole["if"] = {"required": ["environment"], "not": {"required": ["extends"]}}
    whole["then"] = {
        "required": whole.pop("required"),
        "properties": {table: _complete(fields) for table, fields in required.items()},
    }
    return whole


def _complete(fields: list[str]) -> dict[str, Any]:
    """A table whose entries are complete, unless something is made that they may go over."""
    entry = {"anyOf": [{"required": fields}, {"required": ["template"]}]} if fields else {}
    return {
        "if": {"propertyNames": {"not": {"pattern": r"\$\{each\."}}},
        "then": {"additionalProperties": {"type": "object", **entry}},
    }


def _admit(schema: dict[str, Any], *, removal: bool) -> None:
    """Let the fields be references, and be removed where that is asked for."""
    for name, field in schema.get("properties", {}).items():
        admitted = _with_reference(field)
        schema["properties"][name] = _with_null(admitted) if removal else admitted


def _with_reference(field: dict[str, Any]) -> dict[str, Any]:
    if "items" in field:
        field["items"] = _with_reference(field["items"])
    value = {key: item for key, item in field.items() if key not in _BESIDE}
    choices = value.get("anyOf", [value])
    is_text = any(
        choice.get("type") == "string" and not {"enum", "pattern"} & choice.keys() for choice in choices
    )
    if is_text or "patternProperties" in field or not value:
        return field
    return {"anyOf": [*choices, {"$ref": "#/$defs/Reference"}], **_beside(field)}


def _with_null(field: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" not in field:
        return {**field, "type": [field["type"], "null"]} if "type" in field else field
    return field if _NULL in field["anyOf"] else {**field, "anyOf": [*field["anyOf"], _NULL]}


def _beside(field: Mapping[str, Any]) -> dict[str, Any]:
    return {key: field[key] for key in _BESIDE if key in field}
