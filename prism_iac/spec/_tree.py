"""A YAML document as values that know where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from prism_iac.model import Location

__all__ = [
    "Entry",
    "Node",
    "Place",
    "entries_of",
    "merge",
    "place_of",
    "plain",
    "value_at",
    "without_removed",
]


class Place(NamedTuple):
    """Where something stands: the file as the user named it, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """`file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it begins.

    Attributes:
        removes: It stands for nothing, in place of what a file further down sets.
        begins: It is a mapping in place of something else, so that nothing further down is joined with it.
        is_refused: A finding was told about it already, and its shape is not to be looked at.
    """

    value: Value
    place: Place
    removes: bool = False
    begins: bool = False
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a mapping, and where its key stands."""

    key: Place
    node: Node


Value: TypeAlias = "bool | int | float | str | tuple[Node, ...] | Mapping[str, Entry] | None"


def plain(node: Node) -> Any:
    """The value alone, as lists, dicts and scalars."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(entry.node) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def entries_of(node: Node | None) -> Mapping[str, Entry]:
    """The entries of a mapping; none of anything else."""
    return node.value if node is not None and isinstance(node.value, dict) else {}


def value_at(root: Node, location: Location) -> Node | None:
    """The value at a location; None where there is none."""
    node: Node | None = root
    for part in location:
        node = _child(node, part)
    return node


def _child(node: Node | None, part: int | str) -> Node | None:
    value = node.value if node else None
    if isinstance(value, dict) and isinstance(part, str):
        entry = value.get(part)
        return entry.node if entry else None
    if isinstance(value, tuple) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def place_of(root: Node, location: Location, *, at_name: bool = False) -> Place:
    """Where a field stands; for one that is missing, where the nearest thing around it has its name.

    Args:
        root: The document.
        location: The way to the field.
        at_name: Give the place of the field's name, not of its value.
    """
    node, name = root, root.place
    for part in location:
        child = _child(node, part)
        if child is None:
            return name
        name = node.value[str(part)].key if isinstance(node.value, dict) else child.place
        node = child
    return name if at_name else node.place


def merge(base: Node, over: Node) -> Node:
    """A document on top of another: mappings are joined key by key, null removes, anything else is replaced."""
    if over.value is None:
        # Where nothing is below there is nothing to remove, and the shape refuses it.
        removes = over.removes or base.removes or base.value is not None
        return Node(None, over.place, removes=removes)
    if over.begins or not isinstance(over.value, dict):
        return over
    if not isinstance(base.value, dict):
        return Node(over.value, over.place, begins=True)
    joined: dict[str, Entry] = dict(base.value)
    for key, entry in over.value.items():
        below = joined.get(key)
        joined[key] = Entry(entry.key, merge(below.node, entry.node)) if below else entry
    return Node(joined, over.place, begins=base.begins)


def without_removed(root: Node) -> Node:
    """A joined document without what one of its files removes."""
    if not isinstance(root.value, dict):
        return root
    kept = {
        key: Entry(entry.key, without_removed(entry.node))
        for key, entry in root.value.items()
        if not entry.node.removes
    }
    return Node(kept, root.place)
