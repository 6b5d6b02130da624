"""Which file and line sets each value of a stack, and what it overrides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Location, nearest, path_text
from prism_iac.model.stack import TABLES, MadeEntry
from prism_iac.spec._expand import Expansion, Made
from prism_iac.spec._extend import Reading, read_tree
from prism_iac.spec._templates import TEMPLATES
from prism_iac.spec._tree import Node, Place, plain, value_at

__all__ = ["Origin", "Setting", "composed", "explain"]

_REACHING: Final = frozenset({"extends", "include"})
_SPENT: Final = _REACHING | {TEMPLATES}
"""Fields that have done their part once everything is joined."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What one file says of a value; None where it removes it.

    Attributes:
        template: The template that says it, where one does.
        used_at: Where the entry stands that uses the template.
    """

    value: Any
    place: Place
    template: str | None = None
    used_at: Place | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from.

    Attributes:
        path: The value, such as `vms.trainer.vcpus`.
        settings: What each file says, the one that counts last.
    """

    path: str
    settings: tuple[Setting, ...]

    @property
    def counts(self) -> Setting:
        """The setting that counts."""
        return self.settings[-1]


def composed(stack_file: Path) -> dict[str, Any]:
    """A stack file with what it extends and includes joined in, every entry made: dicts, lists and scalars.

    Raises:
        InvalidInput: A file cannot be read.
    """
    values: dict[str, Any] = plain(_expansion_of(read_tree(stack_file)).root)
    return {name: value for name, value in values.items() if name not in _SPENT}


def explain(stack_file: Path, within: str = "") -> tuple[Origin, ...]:
    """Where the values of a stack file come from, in the order of the files.

    Args:
        stack_file: The file; what it extends is looked at, too.
        within: Only values below this path, such as `vms.trainer`; everything when empty.

    Raises:
        InvalidInput: A file cannot be read, or nothing is at the path.
    """
    reading = read_tree(stack_file)
    sources = _Sources(reading.layers, _expansion_of(reading))
    locations = sources.locations()
    start = tuple(within.split(".")) if within else ()
    chosen = [location for location in locations if location[: len(start)] == start]
    if not chosen:
        raise _nothing_there(within, stack_file, locations)
    return tuple(sources.origin(location) for location in chosen if sources.is_said(location))


class _Sources:
    """What says something of a value: files, or what a made entry is made of."""

    def __init__(self, layers: tuple[Node, ...], expansion: Expansion) -> None:
        self._layers = layers
        self._expansion = expansion

    def locations(self) -> dict[Location, None]:
        """Every value, in the order of the files; what is made comes last."""
        found: dict[Location, None] = {}
        for layer in self._layers:
            found |= dict.fromkeys(_leaves(layer, ()))
        written = {
            location: None
            for location in found
            if location[0] not in _REACHING and not self._is_for_others(location) and not self._made(location)
        }
        for entry, made in self._expansion.made.items():
            for layer in made.layers:
                written |= dict.fromkeys(leaf for leaf in _leaves(layer, entry) if leaf != entry)
        return written

    def origin(self, location: Location) -> Origin:
        made = self._made(location)
        return Origin(path_text(location), tuple(_setting(node, made) for node in self._said(location)))

    def is_said(self, location: Location) -> bool:
        """Whether no later file replaces what the value lies in by something else."""
        for depth in range(1, len(location)):
            around = self._said(location[:depth])
            last_no_mapping = max(
                (index for index, node in enumerate(around) if not isinstance(node.value, dict)), default=-1
            )
            if last_no_mapping >= 0 and all(
                value_at(node, location[depth:]) is None for node in around[last_no_mapping + 1 :]
            ):
                return False
        return True

    def _said(self, location: Location) -> list[Node]:
        made = self._made(location)
        layers, inside = (made.layers, location[2:]) if made else (self._layers, location)
        return [node for layer in layers if (node := value_at(layer, inside)) is not None]

    def _made(self, location: Location) -> Made | None:
        table, *rest = location
        return self._expansion.made.get((str(table), str(rest[0]))) if rest else None

    def _is_for_others(self, location: Location) -> bool:
        """Whether a value is part of an entry that others are made from, and that is none itself."""
        return (
            location[0] in TABLES
            and value_at(self._expansion.root, location[:2]) is None
            and any(
                not MadeEntry.model_fields.keys().isdisjoint(node.value)
                for node in self._said(location[:2])
                if isinstance(node.value, dict)
            )
        )


def _setting(node: Node, made: Made | None) -> Setting:
    if made and made.template and made.is_from_template(node.place):
        return Setting(plain(node), node.place, made.template.name, made.used_at)
    return Setting(plain(node), node.place)


def _leaves(node: Node, location: Location) -> Iterator[Location]:
    if isinstance(node.value, dict) and node.value:
        for key, entry in node.value.items():
            yield from _leaves(entry.node, (*location, key))
    elif location:
        yield location


def _expansion_of(reading: Reading) -> Expansion:
    if reading.expansion is None or reading.findings:
        raise InvalidInput(reading.findings)
    return reading.expansion


def _nothing_there(within: str, stack_file: Path, locations: dict[Location, None]) -> InvalidInput:
    known = {
        ".".join(str(part) for part in location[:depth]) for location in locations for depth in (1, 2, 3)
    }
    fix = nearest(within, known) or "Write a path such as `vms.trainer`."
    return InvalidInput([Finding(str(stack_file), 1, 1, within, "nothing is said of this", fix)])
