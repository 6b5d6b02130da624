"""Builds the tree of a YAML document from a parser's events, and tells everything wrong with its form.

Anchors, aliases and merge keys are understood; what they expand to is bounded, so that a small file cannot
stand for an endless one. Tags, keys that are no text, and further documents are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml.error import MarkedYAMLError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.spec._scalar import parse_plain
from prism_iac.spec._syntax import syntax_finding, unprintable_finding
from prism_iac.spec._tree import Entry, Node, Place

__all__ = ["compose"]

_LARGEST_NODES: Final = 5_000_000
_DEEPEST: Final = 50
_MERGE_KEY: Final = "<<"

PARSER: Final = getattr(yaml, "CLoader", yaml.Loader)
"""libyaml's parser where PyYAML was built with it: about fifteen times as fast, with the same events."""


def compose(text: str, file: str) -> tuple[Node, list[Finding]]:
    """The tree of a document, and what is wrong with its form where it could be read all the same.

    Args:
        text: The document.
        file: The file as the user named it.

    Raises:
        InvalidInput: The text is not one YAML document.
    """
    if unprintable := unprintable_finding(text, file):
        raise InvalidInput([unprintable])
    composer = _Composer(yaml.parse(text, Loader=PARSER), file)
    try:
        root = composer.document()
    except MarkedYAMLError as error:
        raise InvalidInput([*composer.findings, syntax_finding(error, text, file)]) from error
    return root, composer.findings


class _Composer:
    def __init__(self, events: Iterator[Any], file: str) -> None:
        self._events = events
        self._file = file
        self._anchors: dict[str, tuple[Node, int]] = {}
        self.findings: list[Finding] = []

    def document(self) -> Node:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise InvalidInput(
                [self._finding(Place(self._file, 1, 1), "the file is empty", "Write a stack in it.")]
            )
        root, _ = self._node(next(self._events), depth=0)
        next(self._events)
        following = next(self._events)
        if isinstance(following, yaml.DocumentStartEvent):
            self._report(following, "a second document begins here", "Keep one document in a file.")
        return root

    def _node(self, event: Any, *, depth: int) -> tuple[Node, int]:
        """The node that an event begins, and how many nodes it stands for."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > _DEEPEST:
            place = self._place(event)
            raise InvalidInput(
                [self._finding(place, f"this is nested deeper than {_DEEPEST} levels", "Flatten it.")]
            )
        if isinstance(event, yaml.ScalarEvent):
            node, size = self._scalar(event), 1
        elif isinstance(event, yaml.SequenceStartEvent):
            node, size = self._sequence(event, depth)
        else:
            node, size = self._mapping(event, depth)
        if event.tag is not None:
            self._report(event, f"the tag {event.tag} means nothing here", "Remove it; put a text in quotes.")
        if event.anchor:
            self._anchors[event.anchor] = (node, size)
        return node, size

    def _alias(self, event: Any) -> tuple[Node, int]:
        known = self._anchors.get(event.anchor)
        if known is None:
            self._report(
                event,
                f"no anchor &{event.anchor} ends before this",
                "Define it further up, outside of itself.",
            )
            return Node(None, self._place(event)), 1
        return known

    def _scalar(self, event: Any) -> Node:
        is_plain = event.implicit[0] and not event.style
        return Node(parse_plain(event.value) if is_plain else event.value, self._place(event))

    def _sequence(self, start: Any, depth: int) -> tuple[Node, int]:
        items: list[Node] = []
        total = 1
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            item, size = self._node(event, depth=depth + 1)
            items.append(item)
            total = self._grown(total, size, event)
        return Node(tuple(items), self._place(start)), total

    def _mapping(self, start: Any, depth: int) -> tuple[Node, int]:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        total = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, depth)
            value, size = self._node(next(self._events), depth=depth + 1)
            total = self._grown(total, size, event)
            if key == _MERGE_KEY and not event.style:
                merged.append(value)
            elif key in entries:
                first = entries[key].key
                self._report(
                    event,
                    f'"{key}" stands here a second time',
                    f"Keep one of them; the first is in line {first.line}.",
                )
            elif key is not None:
                entries[key] = Entry(self._place(event), value)
        for source in merged:
            self._merge_into(entries, source)
        return Node(entries, self._place(start)), total

    def _key(self, event: Any, depth: int) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and event.value:
            return str(event.value)
        self._node(event, depth=depth + 1)
        self._report(event, "a name must be a text", "Write it as `name: value`.")
        return None

    def _merge_into(self, entries: dict[str, Entry], source: Node) -> None:
        for node in source.value if isinstance(source.value, tuple) else (source,):
            if isinstance(node.value, dict):
                for key, entry in node.value.items():
                    entries.setdefault(key, entry)
            else:
                self.findings.append(
                    self._finding(
                        node.place,
                        "only a mapping can be merged",
                        "Merge an alias of a mapping: `<<: *name`.",
                    )
                )

    def _grown(self, total: int, size: int, event: Any) -> int:
        if total + size > _LARGEST_NODES:
            message = "the aliases up to here stand for more than five million values"
            raise InvalidInput(
                [self._finding(self._place(event), message, "Write fewer aliases of aliases.")]
            )
        return total + size

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _report(self, event: Any, message: str, fix: str) -> None:
        self.findings.append(self._finding(self._place(event), message, fix))

    def _finding(self, place: Place, message: str, fix: str) -> Finding:
        return Finding(file=place.file, line=place.line, column=place.column, message=message, fix=fix)
