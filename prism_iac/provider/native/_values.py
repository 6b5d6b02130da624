"""Between the protocol's structs and plain values.

The protocol spells a value that is not known yet as a constant text, and a secret as an object with a signature.
The plugin takes no output values. Handlers see secrets in plain; what was secret is so in the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from prism_iac._engine import SECRET_MARK, SIGNATURE, UNKNOWN_TEXT
from prism_iac.model import UNKNOWN, Unknown

__all__ = ["from_struct", "secrets_in", "to_struct"]


def from_struct(struct: Struct) -> dict[str, Any]:
    """Plain values; those that are not known yet are `UNKNOWN`, fields without a value are left out."""
    return {name: plain for name, value in struct.fields.items() if (plain := _from_value(value)) is not None}


def secrets_in(*structs: Struct) -> frozenset[str]:
    """The names of the properties that are secret or hold a secret element, wherever they are."""
    return frozenset(name for struct in structs for name in _secrets(struct))


def to_struct(properties: Mapping[str, Any], *, secret: Collection[str] = ()) -> Struct:
    """A struct of plain values; the properties with these names are secret, wherever they are."""
    struct = Struct()
    struct.update(_prepared(properties, frozenset(secret)))
    return struct


def _from_value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
        case "struct_value":
            fields = value.struct_value.fields
            return _from_value(fields["value"]) if _is_secret(value) else from_struct(value.struct_value)
        case _:
            return None


def _secrets(struct: Struct) -> Iterator[str]:
    for name, value in struct.fields.items():
        if any(_is_secret(item) for item in (value, *value.list_value.values)):
            yield name
        yield from _secrets_within(value)


def _secrets_within(value: Value) -> Iterator[str]:
    for item in value.list_value.values:
        yield from _secrets_within(item)
    yield from _secrets(value.struct_value)


def _is_secret(value: Value) -> bool:
    # Reading a field that is not there would add it.
    fields = value.struct_value.fields
    return SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET_MARK


def _prepared(value: Any, secret: frozenset[str]) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN_TEXT
    if isinstance(value, Mapping):
        return {
            str(name): {SIGNATURE: SECRET_MARK, "value": _prepared(item, frozenset())}
            if name in secret and item is not None
            else _prepared(item, secret)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_prepared(item, secret) for item in value]
    return value
