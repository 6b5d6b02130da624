"""References in a text, such as `${var.NAME}`: found, and replaced by what they stand for.

One that is the whole of a value has the type of what it stands for; within a text that is written out. `$${var.`
stands for `${var.` itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from prism_iac.errors import Finding
from prism_iac.model import Location, path_text
from prism_iac.spec._tree import Entry, Node

__all__ = ["LATER_KINDS", "MARK", "Kind", "Reference", "Values", "put", "put_into_text", "references"]

Kind: TypeAlias = str
"""`var`, `each` or `param`."""

LATER_KINDS: Final[frozenset[Kind]] = frozenset({"each", "param"})
"""Those that entries are made by, once variables are in place."""

Values: TypeAlias = "Mapping[tuple[Kind, str], Node]"
"""What references stand for, by kind and name."""

MARK: Final = "${"
"""How a reference begins."""

_REFERENCE: Final = re.compile(r"(?P<escape>\$)?\$\{(?P<kind>var|each|param)\.(?P<name>[^}]*)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference where it stands.

    Attributes:
        node: The value that it is, or is a part of.
        location: The way to that value.
        is_whole: It is all of the value.
    """

    kind: Kind
    name: str
    node: Node
    location: Location
    is_whole: bool

    def refused(self, message: str, fix: str) -> Finding:
        """A finding about it."""
        return Finding(*self.node.place, path_text(self.location), message, fix)


def references(node: Node, location: Location) -> Iterator[Reference]:
    """Every reference in a tree.

    Args:
        node: The tree.
        location: The way to it.
    """
    value = node.value
    if isinstance(value, str):
        if MARK in value:
            for match in _REFERENCE.finditer(value):
                if not match["escape"]:
                    yield Reference(match["kind"], match["name"], node, location, match[0] == value)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from references(entry.node, (*location, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from references(item, (*location, index))


def put(node: Node, kinds: frozenset[Kind], values: Values) -> Node:
    """A tree with values in the place of references; what has no value stays as it is written.

    Args:
        node: The tree; its places stay.
        kinds: The kinds of reference to look at.
        values: What each stands for, by kind and name.
    """
    value = node.value
    if isinstance(value, str):
        return _put_text(node, value, kinds, values) if MARK in value else node
    if isinstance(value, dict):
        entries = {key: Entry(entry.key, put(entry.node, kinds, values)) for key, entry in value.items()}
        return Node(entries, node.place, node.removes, node.begins)
    if isinstance(value, tuple):
        return Node(tuple(put(item, kinds, values) for item in value), node.place)
    return node


def put_into_text(text: str, kinds: frozenset[Kind], values: Values) -> str:
    """A text with values written out in the place of references."""

    def written(match: re.Match[str]) -> str:
        if match["kind"] not in kinds:
            return match[0]
        if match["escape"]:
            return match[0][1:]
        found = values.get((match["kind"], match["name"]))
        if found is None or isinstance(found.value, dict | tuple):
            return match[0]
        return str(found.value).lower() if isinstance(found.value, bool) else str(found.value)

    return _REFERENCE.sub(written, text)


def _put_text(node: Node, text: str, kinds: frozenset[Kind], values: Values) -> Node:
    whole = _REFERENCE.fullmatch(text)
    if whole and not whole["escape"] and whole["kind"] in kinds:
        found = values.get((whole["kind"], whole["name"]))
        return Node(found.value, node.place) if found else node
    return Node(put_into_text(text, kinds, values), node.place)
