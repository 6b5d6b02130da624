"""Templates: the fields that entries have in common, and the values that each of them gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from prism_iac.errors import Finding
from prism_iac.model import Location, nearest, path_text, shown
from prism_iac.model.stack import MadeEntry, TemplateEntry
from prism_iac.spec._references import LATER_KINDS, Values, put, references
from prism_iac.spec._tree import Entry, Node, Place, entries_of, plain, value_at

__all__ = ["TEMPLATES", "Template", "read_templates"]

TEMPLATES: Final = "templates"


@dataclass(frozen=True, slots=True)
class Template:
    """A template whose shape is right.

    Attributes:
        body: The fields that it gives.
        defaults: What parameters are where no value is given.
        places: Where its fields, and their names, stand.
    """

    name: str
    entry: TemplateEntry
    body: Node
    defaults: Values
    places: frozenset[Place]

    def mistakes(self) -> Iterator[Finding]:
        """What is wrong with it, whoever uses it."""
        location = (TEMPLATES, self.name, "entry")
        for word in self.entry.entry.keys() & MadeEntry.model_fields.keys():
            place = entries_of(self.body)[word].key
            message = f"{word} belongs to the entry that uses a template"
            yield Finding(*place, path_text((*location, word)), message, "Move it there.")
        for reference in references(self.body, location):
            if reference.kind == "each":
                yield reference.refused(
                    "a template knows nothing of for_each",
                    "Make it a parameter, and give it in the `values` of the entry.",
                )
            elif reference.kind == "param" and reference.name not in self.entry.parameters:
                fix = nearest(reference.name, self.entry.parameters) or "Declare it under `parameters:`."
                yield reference.refused(f'the template has no parameter "{reference.name}"', fix)
            elif reference.kind == "param" and not reference.is_whole:
                parameter = self.entry.parameters[reference.name]
                if parameter.type == "list":
                    yield reference.refused(
                        f"the parameter {reference.name} is no part of a text", "Let it stand alone."
                    )

    def misfits(self, given: Mapping[str, Entry], at: Place, location: Location) -> Iterator[Finding]:
        """What is wrong with the values that an entry gives.

        Args:
            given: The values by parameter.
            at: Where the entry has its name.
            location: The way to the entry.
        """
        for name, value in given.items():
            path = path_text((*location, "values", name))
            parameter = self.entry.parameters.get(name)
            if parameter is None:
                fix = nearest(name, self.entry.parameters) or "Remove it."
                message = f'the template {self.name} has no parameter "{name}"'
                yield Finding(*value.key, path, message, fix)
            elif not parameter.type.admits(found := plain(value.node)):
                message = f"must be of the parameter's type {parameter.type}, not {shown(found)}"
                yield Finding(*value.node.place, path, message, "Correct the value, or the type.")
        for name, parameter in self.entry.parameters.items():
            if parameter.default is None and name not in given:
                message = f'the parameter "{name}" of the template {self.name} is missing'
                yield Finding(*at, path_text(location), message, f"Write `values: {{{name}: ...}}`.")

    def filled(self, given: Mapping[str, Entry]) -> Node:
        """The fields with values in the place of parameters."""
        values = {("param", name): entry.node for name, entry in given.items()}
        return put(self.body, LATER_KINDS, {**self.defaults, **values})


def read_templates(root: Node) -> Mapping[str, Template | None]:
    """The templates of a document by name; None for one whose shape is not right, which the shape tells."""
    table = entries_of(value_at(root, (TEMPLATES,)))
    return {name: _template(name, entry.node) for name, entry in table.items()}


def _template(name: str, node: Node) -> Template | None:
    try:
        entry = TemplateEntry.model_validate(plain(node))
    except ValidationError:
        return None
    body = value_at(node, ("entry",))
    assert body is not None
    defaults = {
        ("param", parameter): value
        for parameter in entry.parameters
        if (value := value_at(node, ("parameters", parameter, "default"))) is not None
    }
    return Template(name, entry, body, defaults, frozenset(_places(body)))


def _places(node: Node) -> Iterator[Place]:
    yield node.place
    for entry in entries_of(node).values():
        yield entry.key
        yield from _places(entry.node)
    for item in node.value if isinstance(node.value, tuple) else ():
        yield from _places(item)
