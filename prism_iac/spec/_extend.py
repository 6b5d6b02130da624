"""Reads a stack file together with what it extends, as one tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.spec._compose import compose
from prism_iac.spec._source import read_source
from prism_iac.spec._tree import Node, Place, merge, without_removed
from prism_iac.spec._variables import MARK, substitute

__all__ = ["Reading", "read_tree"]

_EXTENDS: Final = "extends"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        root: The joined tree; None where a file could not be read.
        files: The files, as the user named them, what is extended first.
        layers: The tree of each of them, without what it says of others.
        findings: What is wrong with the form of the files.
    """

    root: Node | None
    files: tuple[Path, ...]
    layers: tuple[Node, ...]
    findings: tuple[Finding, ...]


def read_tree(path: Path) -> Reading:
    """A stack file joined with the files that it extends; findings instead of errors."""
    reader = _Reader()
    is_whole = reader.read(path, extending=())
    root = None
    if is_whole:
        (first, *others) = reader.layers
        # The file's own name for what it extends stays: it is a field of the document.
        root = without_removed(reduce(merge, others, first)) if others else first
        if reader.refers_to_variables:
            root, findings = substitute(root)
            reader.findings += findings
    return Reading(root, tuple(reader.files), tuple(reader.layers), tuple(reader.findings))


class _Reader:
    """Reads files in the order in which they are joined; one that several extend counts where it first comes."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.layers: list[Node] = []
        self.findings: list[Finding] = []
        self.refers_to_variables = False

    def read(self, path: Path, *, extending: tuple[Path, ...]) -> bool:
        """Read a file after what it extends; False where one of them cannot be read."""
        try:
            text = read_source(path)
            root, findings = compose(text, str(path))
        except InvalidInput as error:
            self.files.append(path)
            self.findings += error.findings
            return False
        if not isinstance(root.value, dict):
            file, line, column = root.place
            message = "a stack file is a mapping"
            self.files.append(path)
            self.findings += [
                *findings,
                Finding(file, line, column, "", message, "Begin it with `environment: dev`."),
            ]
            return False
        self.refers_to_variables |= MARK in text
        bases = [self._read_base(name, at, (*extending, path)) for name, at in _bases_of(path, root)]
        self.files.append(path)
        self.layers.append(_without_extends(root) if extending else root)
        self.findings += findings
        return all(bases)

    def _read_base(self, path: Path, at: Place, extending: tuple[Path, ...]) -> bool:
        if any(_is_same(path, file) for file in extending):
            chain = " -> ".join(str(file) for file in (*extending, path))
            self._refuse(at, f"this file extends itself: {chain}", "Break the circle.")
            return False
        if any(_is_same(path, file) for file in self.files):
            return True
        if not path.is_file():
            try:
                read_source(path)
            except InvalidInput as error:
                for finding in error.findings:
                    self._refuse(at, f"{path}: {finding.message}", "Name a stack file relative to this one.")
            return False
        return self.read(path, extending=extending)

    def _refuse(self, at: Place, message: str, fix: str) -> None:
        self.findings.append(Finding(*at, _EXTENDS, message, fix))


def _bases_of(path: Path, root: Node) -> Iterator[tuple[Path, Place]]:
    """The files that a file names, and where; what is no text is for the shape to refuse."""
    entry = root.value.get(_EXTENDS) if isinstance(root.value, dict) else None
    named = entry.node if entry else None
    if named is None:
        return
    for node in named.value if isinstance(named.value, tuple) else (named,):
        if isinstance(node.value, str):
            yield path.parent / node.value, node.place


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False


def _without_extends(root: Node) -> Node:
    entries = root.value if isinstance(root.value, dict) else {}
    return Node({key: entry for key, entry in entries.items() if key != _EXTENDS}, root.place)
