"""What differs between two environments, and where it is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prism_iac.model import path_text
from prism_iac.spec import Stack

__all__ = ["Difference", "differences_between"]

_OF_THEMSELVES: Final = frozenset({"environment", "extends", "include", "templates"})
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that two environments do not share; a value that is not said is None."""

    field: str
    source: Any
    target: Any
    why: str


def differences_between(source: Stack, target: Stack) -> list[Difference]:
    """Every field that one of two environments says otherwise, sorted by the way to it."""
    said, says = (dict(_flat(stack.written())) for stack in (source, target))
    return [
        Difference(
            field=path_text(location),
            source=said.get(location),
            target=says.get(location),
            why=f"{target.environment} says so at {target.origin(*location)}"
            if location in says
            else f"only {source.environment} says it, at {source.origin(*location)}",
        )
        for location in sorted({*said, *says})
        if location[0] not in _OF_THEMSELVES and said.get(location, _ABSENT) != says.get(location, _ABSENT)
    ]


def _flat(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, (*above, name))
        else:
            yield (*above, name), value
