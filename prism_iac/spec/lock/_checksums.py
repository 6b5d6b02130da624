"""Checksums that a stack file states: brought to what was carried, every other character left as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from prism_iac.errors import Conflict, InvalidInput
from prism_iac.spec._extend import read_tree
from prism_iac.spec._tree import Node, Place, plain, value_at

__all__ = ["restate_checksums"]


def restate_checksums(
    stack_file: Path, computations: Sequence[str], pins: Mapping[str, str]
) -> dict[Path, str]:
    """The files to change so that the assets of some computations have the checksums that are pinned.

    Only what is stated is changed, in the file that states it. The stack need not be valid: a checksum that does
    not fit to its file any more is what this is for.

    Args:
        stack_file: The file; what it extends is looked at, too.
        computations: The names of the computations.
        pins: SHA3-256 by the name of the asset.

    Raises:
        InvalidInput: A file cannot be read.
        Conflict: A checksum is written in a way that only people can change.
    """
    reading = read_tree(stack_file)
    if reading.root is None:
        raise InvalidInput(reading.findings)
    texts: dict[Path, str] = {}
    for name in sorted({*_assets_of(reading.root, computations)} & pins.keys()):
        node = value_at(reading.root, ("assets", name, "checksum"))
        if node is not None and isinstance(node.value, str) and node.value.strip().lower() != pins[name]:
            path = Path(node.place.file)
            text = texts.get(path) or path.read_text(encoding="utf-8")
            texts[path] = _replaced(text, node.value, pins[name], node.place)
    return texts


def _assets_of(root: Node, computations: Sequence[str]) -> Iterator[str]:
    for name in computations:
        node = value_at(root, ("computations", name))
        entry = plain(node) if node else None
        if isinstance(entry, dict):
            datasets = entry.get("datasets")
            for asset in (entry.get("algorithm"), *(datasets if isinstance(datasets, list) else ())):
                if isinstance(asset, str):
                    yield asset.strip()


def _replaced(text: str, old: str, new: str, place: Place) -> str:
    lines = text.splitlines(keepends=True)
    line = lines[place.line - 1]
    head, tail = line[: place.column - 1], line[place.column - 1 :]
    if tail.lstrip("\"'").startswith(new):
        return text  # several entries are made of this line
    if not tail.lstrip("\"'").startswith(old):
        raise Conflict(
            "the checksum is written in a way that only people can change",
            where=str(place),
            next_step=f"Write {new}.",
        )
    lines[place.line - 1] = head + tail.replace(old, new, 1)
    return "".join(lines)
