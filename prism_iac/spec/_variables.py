"""Puts the values of variables in the place of references to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from prism_iac.errors import Finding
from prism_iac.model import nearest
from prism_iac.spec._tree import Entry, Node, value_at

__all__ = ["MARK", "substitute"]

MARK: Final = "${var."
_TABLE: Final = "variables"
_REFERENCE: Final = re.compile(r"(?P<escape>\$)?\$\{var\.(?P<name>[^}]*)\}")


def substitute(root: Node) -> tuple[Node, list[Finding]]:
    """A document with the values of its variables, and references that stand for nothing.

    A reference that is the whole of a value has the variable's own type; within a text it is written out. `$${var.`
    stands for itself.
    """
    return _Substitution(root).done()


class _Substitution:
    def __init__(self, root: Node) -> None:
        self._root = root
        table = value_at(root, (_TABLE,))
        self._names = list(table.value) if table and isinstance(table.value, dict) else []
        self._findings: list[Finding] = []

    def done(self) -> tuple[Node, list[Finding]]:
        entries: Mapping[str, Entry] = self._root.value if isinstance(self._root.value, dict) else {}
        replaced = {
            key: entry if key == _TABLE else Entry(entry.key, self._node(entry.node, (key,)))
            for key, entry in entries.items()
        }
        return Node(replaced, self._root.place), self._findings

    def _node(self, node: Node, location: tuple[str, ...]) -> Node:
        value = node.value
        if isinstance(value, dict):
            return Node(
                {
                    key: Entry(entry.key, self._node(entry.node, (*location, key)))
                    for key, entry in value.items()
                },
                node.place,
            )
        if isinstance(value, tuple):
            return Node(tuple(self._node(item, location) for item in value), node.place)
        return self._text(node, value, location) if isinstance(value, str) and MARK in value else node

    def _text(self, node: Node, text: str, location: tuple[str, ...]) -> Node:
        whole = _REFERENCE.fullmatch(text)
        if whole and not whole["escape"]:
            found = self._value(whole["name"], node, location)
            return Node(found.value, node.place) if found else node
        return Node(_REFERENCE.sub(lambda match: self._written(match, node, location), text), node.place)

    def _written(self, match: re.Match[str], node: Node, location: tuple[str, ...]) -> str:
        if match["escape"]:
            return match[0][1:]
        found = self._value(match["name"], node, location)
        value: Any = found.value if found else match[0]
        if isinstance(value, dict | tuple):
            self._refuse(
                node, location, f"the variable {match['name']} is no part of a text", "Let it stand alone."
            )
            return match[0]
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _value(self, name: str, node: Node, location: tuple[str, ...]) -> Node | None:
        if name not in self._names:
            fix = nearest(name, self._names) or f"Declare it under `{_TABLE}:`."
            self._refuse(node, location, f'there is no variable "{name}"', fix)
            return None
        for field in ("value", "default"):
            found = value_at(self._root, (_TABLE, name, field))
            if found is not None and found.value is not None:
                return found
        self._refuse(
            node,
            location,
            f"the variable {name} has no value here",
            f"Set `{_TABLE}: {{{name}: {{value: ...}}}}`.",
        )
        return None

    def _refuse(self, node: Node, location: tuple[str, ...], message: str, fix: str) -> None:
        file, line, column = node.place
        self._findings.append(Finding(file, line, column, ".".join(location), message, fix))
