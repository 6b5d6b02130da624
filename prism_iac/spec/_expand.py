"""Makes the entries that templates and `for_each` stand for, before anything else looks at them.

1. `for_each`: an entry for each combination, `${each.NAME}` replaced in its name and its fields.
2. `template`: the template's fields with `${param.NAME}` replaced, and the entry's own fields over them.
3. An entry that is written under the very name of a made one goes over it.

In each table the made entries come first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from pydantic import ValidationError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Location, findings_of, nearest, path_text, shown
from prism_iac.model.stack import TABLES, MadeEntry
from prism_iac.spec._for_each import combinations, names_in
from prism_iac.spec._references import LATER_KINDS, Values, put, put_into_text, references
from prism_iac.spec._templates import TEMPLATES, Template, read_templates
from prism_iac.spec._tree import Entry, Node, Place, entries_of, merge, place_of, plain, without_removed

__all__ = ["Expansion", "Made", "expand"]

_WORDS: Final = frozenset(MadeEntry.model_fields)


@dataclass(frozen=True, slots=True)
class Made:
    """An entry that is not written as it is.

    Attributes:
        template: Where its fields come from; None where `for_each` alone made it.
        used_at: Where the entry stands that asked for it.
        layers: What it is made of; later ones go over earlier ones, the template's is the first.
    """

    template: Template | None
    used_at: Place
    layers: tuple[Node, ...]

    def is_from_template(self, place: Place) -> bool:
        """Whether what stands at a place is the template's."""
        return self.template is not None and place in self.template.places


@dataclass(frozen=True, slots=True)
class Expansion:
    """A document in which every entry is made.

    Attributes:
        made: The entries that were made, by table and name.
        findings: What is wrong with how they were asked for.
    """

    root: Node
    made: Mapping[tuple[str, str], Made]
    findings: tuple[Finding, ...]

    def told_once(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Findings, with the template and its use where there is one; what many entries share is told once."""
        alike: dict[Finding, list[Finding]] = {}
        for finding in findings:
            made = self._made_of(finding.path)
            alike.setdefault(replace(finding, path="") if made else finding, []).append(finding)
        for first, *others in alike.values():
            made = self._made_of(first.path)
            message = first.message
            if made and made.is_from_template(Place(first.file, first.line, first.column)):
                assert made.template is not None
                message += f" (template {made.template.name}, used at {made.used_at})"
            if others:
                message += f", and so in {len(others)} more"
            yield replace(first, message=message)

    def _made_of(self, path: str) -> Made | None:
        """The made entry that a path leads into; a name may have dots."""
        table, _, rest = path.partition(".")
        end = len(rest) if table in TABLES and self.made else 0
        while end > 0:
            if made := self.made.get((table, rest[:end])):
                return made
            end = max(rest.rfind(".", 0, end), rest.rfind("[", 0, end))
        return None


def expand(root: Node, *, refers: bool = True) -> Expansion:
    """Make the entries of every table.

    Args:
        root: Files that are joined, variables in place.
        refers: Whether there is any reference in it; without one, entries as they are written need no look.
    """
    return _Expander(root, refers=refers).done()


@dataclass(frozen=True, slots=True)
class _Use:
    """An entry that asks for others, or for a template.

    Attributes:
        own: Its own fields.
        given: The values of the template's parameters.
        each: The combinations; one of nothing where it asks for itself alone.
    """

    name: str
    entry: Entry
    own: Node
    template: Template | None
    given: Mapping[str, Entry]
    each: list[Values]


class _Expander:
    def __init__(self, root: Node, *, refers: bool) -> None:
        self._root = root
        self._refers = refers
        self._templates = read_templates(root)
        self._made: dict[tuple[str, str], Made] = {}
        self._findings: list[Finding] = []
        self._told: set[Finding] = set()

    def done(self) -> Expansion:
        for template in self._templates.values():
            self._findings += template.mistakes() if template else ()
        entries: dict[str, Entry] = {}
        for key, entry in entries_of(self._root).items():
            node = entry.node
            if key in TABLES and isinstance(node.value, dict):
                node = Node(self._table(key, node.value), node.place)
            elif key != TEMPLATES:
                self._findings += _strays(node, (key,))
            entries[key] = Entry(entry.key, node)
        return Expansion(Node(entries, self._root.place), self._made, tuple(self._findings))

    def _table(self, table: str, written: Mapping[str, Entry]) -> Mapping[str, Entry]:
        made: dict[str, Entry] = {}
        for name, entry in written.items():
            if _asks(entry.node):
                self._make_all(table, name, entry, made)
        for name, entry in written.items():
            if not _asks(entry.node):
                node = entry.node
                if self._refers:
                    self._findings += _strays(node, (table, name))
                    node = put(node, LATER_KINDS, {})
                self._put_over(table, name, Entry(entry.key, node), made)
        return made

    def _make_all(self, table: str, name: str, entry: Entry, made: dict[str, Entry]) -> None:
        try:
            use = self._use((table, name), entry)
        except InvalidInput as error:
            self._findings += error.findings
            made[name] = Entry(entry.key, replace(entry.node, is_refused=True))
            return
        for each in use.each:
            self._make(table, use, each, made)

    def _use(self, location: tuple[str, str], entry: Entry) -> _Use:
        """What an entry asks for.

        Raises:
            InvalidInput: That is not well said; without findings where the template's shape has them.
        """
        fields, place = entries_of(entry.node), entry.node.place
        template = self._template_of(location, fields, place)
        own = Node({key: item for key, item in fields.items() if key not in _WORDS}, place)
        given = entries_of(fields["values"].node) if "values" in fields else {}
        each: list[Values] = [{}]
        known: frozenset[str] | None = frozenset()
        if "for_each" in fields:
            each, known = combinations(fields["for_each"].node), names_in(fields["for_each"].node)
        if strays := [*_strays(Node(location[1], entry.key), location, known)]:
            raise InvalidInput(strays)
        self._findings += _strays(own, location, known)
        for key, item in given.items():
            self._findings += _strays(item.node, (*location, "values", key), known)
        return _Use(location[1], entry, own, template, given, each)

    def _template_of(
        self, location: tuple[str, str], fields: Mapping[str, Entry], place: Place
    ) -> Template | None:
        """The template that an entry names; None where it names none."""

        def locate(location: Location, *, at_name: bool) -> Place:
            return place_of(self._root, location, at_name=at_name)

        words = Node({key: item for key, item in fields.items() if key in _WORDS}, place)
        try:
            asked = MadeEntry.model_validate(plain(words))
        except ValidationError as error:
            raise findings_of(error, MadeEntry, within=location, locate=locate) from None
        if asked.template is None:
            if "values" in fields:
                path, message = (*location, "values"), "values are for a template, and none is named"
                raise InvalidInput(
                    [Finding(*fields["values"].key, path_text(path), message, "Add `template:`.")]
                )
            return None
        if asked.template not in self._templates:
            path, message = (*location, "template"), f"no template is named {shown(asked.template)}"
            fix = nearest(asked.template, self._templates) or f"Declare it under `{TEMPLATES}:`."
            raise InvalidInput([Finding(*fields["template"].node.place, path_text(path), message, fix)])
        template = self._templates[asked.template]
        if template is None:
            raise InvalidInput([])
        return template

    def _make(self, table: str, use: _Use, each: Values, made: dict[str, Entry]) -> None:
        name = put_into_text(use.name, LATER_KINDS, each)
        location, key = (table, name), use.entry.key
        if name in made:
            message = f"{shown(name)} is made twice"
            fix = "Put every `${each.NAME}` that tells them apart into the name."
            self._findings.append(Finding(*key, path_text(location), message, fix))
            return
        own = put(use.own, LATER_KINDS, each)
        layers: tuple[Node, ...] = (own,)
        if use.template is not None:
            given = {
                word: Entry(item.key, put(item.node, LATER_KINDS, each)) for word, item in use.given.items()
            }
            misfits = [*use.template.misfits(given, key, location)]
            if misfits:
                self._tell_once(misfits)
                made[name] = Entry(key, replace(own, is_refused=True))
                return
            layers = (use.template.filled(given), own)
        self._made[location] = Made(use.template, key, layers)
        made[name] = Entry(key, _joined(layers))

    def _tell_once(self, misfits: Iterable[Finding]) -> None:
        """Keep findings about values, but for what was told of another entry that is made of the same line."""
        for finding in misfits:
            anywhere = replace(finding, path="")
            if anywhere not in self._told:
                self._told.add(anywhere)
                self._findings.append(finding)

    def _put_over(self, table: str, name: str, over: Entry, made: dict[str, Entry]) -> None:
        """Put an entry as it is written over the one that was made under its name, if any."""
        below = self._made.get((table, name))
        if below is None:
            made[name] = over
            return
        layers = (*below.layers, over.node)
        joined = _joined(layers)
        if joined.removes:
            del made[name], self._made[table, name]
        else:
            made[name] = Entry(over.key, joined)
            self._made[table, name] = replace(below, layers=layers)


def _joined(layers: tuple[Node, ...]) -> Node:
    if len(layers) == 1:
        return layers[0]
    node = reduce(merge, layers)
    return node if node.removes else replace(without_removed(node), place=layers[-1].place)


def _asks(node: Node) -> bool:
    return isinstance(node.value, dict) and not _WORDS.isdisjoint(node.value)


def _strays(node: Node, location: Location, each: Collection[str] | None = frozenset()) -> Iterator[Finding]:
    """References that stand for nothing where they stand; `each` are the names that for_each has there."""
    for reference in references(node, location):
        if reference.kind == "param":
            fix = "Write it in a template's `entry`, or refer to a variable: `${var.NAME}`."
            yield reference.refused("a parameter stands for something in a template alone", fix)
        elif reference.kind == "each" and each is not None and reference.name not in each:
            fix = nearest(reference.name, each) or "Say `for_each:` in this entry."
            yield reference.refused(f'for_each has no "{reference.name}" here', fix)
