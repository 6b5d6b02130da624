"""Puts the values of variables in the place of references to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.errors import Finding
from prism_iac.model import nearest
from prism_iac.spec._references import Kind, Reference, put, references
from prism_iac.spec._tree import Entry, Node, entries_of, value_at

__all__ = ["substitute"]

_TABLE: Final = "variables"
_KIND: Final[Kind] = "var"


def substitute(root: Node) -> tuple[Node, list[Finding]]:
    """A document with the values of its variables, and references that stand for nothing."""
    names = list(entries_of(value_at(root, (_TABLE,))))
    values = {(_KIND, name): value for name in names if (value := _value_of(root, name)) is not None}
    findings: list[Finding] = []
    replaced: dict[str, Entry] = {}
    for key, entry in entries_of(root).items():
        if key == _TABLE:
            replaced[key] = entry
            continue
        for reference in references(entry.node, (key,)):
            if reference.kind == _KIND:
                findings += _refused(reference, names, values.get((_KIND, reference.name)))
        replaced[key] = Entry(entry.key, put(entry.node, frozenset({_KIND}), values))
    return Node(replaced, root.place), findings


def _value_of(root: Node, name: str) -> Node | None:
    for field in ("value", "default"):
        found = value_at(root, (_TABLE, name, field))
        if found is not None and found.value is not None:
            return found
    return None


def _refused(reference: Reference, names: list[str], value: Node | None) -> Iterator[Finding]:
    name = reference.name
    if name not in names:
        fix = nearest(name, names) or f"Declare it under `{_TABLE}:`."
        yield reference.refused(f'there is no variable "{name}"', fix)
    elif value is None:
        fix = f"Set `{_TABLE}: {{{name}: {{value: ...}}}}`."
        yield reference.refused(f"the variable {name} has no value here", fix)
    elif isinstance(value.value, dict | tuple) and not reference.is_whole:
        yield reference.refused(f"the variable {name} is no part of a text", "Let it stand alone.")
