"""Which file and line sets each value of a stack, and what it overrides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Location, nearest, path_text
from prism_iac.spec._extend import Reading, read_tree
from prism_iac.spec._tree import Node, Place, plain, value_at

__all__ = ["Origin", "Setting", "composed", "explain"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What one file says of a value; None where it removes it."""

    value: Any
    place: Place


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
    """A stack file with what it extends joined in: dicts, lists and scalars.

    Raises:
        InvalidInput: A file cannot be read.
    """
    values: dict[str, Any] = plain(_root_of(read_tree(stack_file)))
    values.pop("extends", None)
    return values


def explain(stack_file: Path, within: str = "") -> tuple[Origin, ...]:
    """Where the values of a stack file come from, in the order of the files.

    Args:
        stack_file: The file; what it extends is looked at, too.
        within: Only values below this path, such as `vms.trainer`; everything when empty.

    Raises:
        InvalidInput: A file cannot be read, or nothing is at the path.
    """
    reading = read_tree(stack_file)
    _root_of(reading)
    locations: dict[Location, None] = {}
    for layer in reading.layers:
        locations |= dict.fromkeys(_leaves(layer, ()))
    start = tuple(within.split(".")) if within else ()
    chosen = [
        location for location in locations if location[: len(start)] == start and location != ("extends",)
    ]
    if not chosen:
        raise _nothing_there(within, stack_file, locations)
    return tuple(_origin(location, reading) for location in chosen if _is_said(location, reading))


def _origin(location: Location, reading: Reading) -> Origin:
    said = [node for layer in reading.layers if (node := value_at(layer, location)) is not None]
    return Origin(path_text(location), tuple(Setting(plain(node), node.place) for node in said))


def _is_said(location: Location, reading: Reading) -> bool:
    """Whether no later file replaces what the value lies in by something else."""
    for depth in range(1, len(location)):
        around = [node for layer in reading.layers if (node := value_at(layer, location[:depth])) is not None]
        last_no_mapping = max(
            (index for index, node in enumerate(around) if not isinstance(node.value, dict)), default=-1
        )
        if last_no_mapping >= 0 and all(
            value_at(node, location[depth:]) is None for node in around[last_no_mapping + 1 :]
        ):
            return False
    return True


def _leaves(node: Node, location: Location) -> Iterator[Location]:
    if isinstance(node.value, dict) and node.value:
        for key, entry in node.value.items():
            yield from _leaves(entry.node, (*location, key))
    elif location:
        yield location


def _root_of(reading: Reading) -> Node:
    if reading.root is None or reading.findings:
        raise InvalidInput(reading.findings)
    return reading.root


def _nothing_there(within: str, stack_file: Path, locations: dict[Location, None]) -> InvalidInput:
    known = {
        ".".join(str(part) for part in location[:depth]) for location in locations for depth in (1, 2, 3)
    }
    fix = nearest(within, known) or "Write a path such as `vms.trainer`."
    return InvalidInput([Finding(str(stack_file), 1, 1, within, "nothing is said of this", fix)])
