"""The combinations of values that an entry is made for."""

from __future__ import annotations

from itertools import product

from prism_iac.spec._references import Values
from prism_iac.spec._tree import Node, entries_of

__all__ = ["combinations", "names_in"]


def combinations(node: Node) -> list[Values]:
    """What `${each.NAME}` stands for, once for each entry to make.

    Args:
        node: Lists by name, for every combination; or a list of mappings, each a combination.
    """
    if isinstance(node.value, dict):
        lists = [_items(entry.node) for entry in node.value.values()]
        names = [("each", name) for name in node.value]
        return [dict(zip(names, values, strict=True)) for values in product(*lists)]
    return [_mapping(item) for item in _items(node)]


def names_in(node: Node) -> frozenset[str] | None:
    """The names that `${each.NAME}` may have; None where an empty list leaves them open."""
    if isinstance(node.value, dict):
        return frozenset(node.value)
    first = next(iter(_items(node)), None)
    return None if first is None else frozenset(entries_of(first))


def _items(node: Node) -> tuple[Node, ...]:
    return node.value if isinstance(node.value, tuple) else ()


def _mapping(node: Node) -> Values:
    return {("each", name): entry.node for name, entry in entries_of(node).items()}
