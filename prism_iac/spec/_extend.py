"""Reads a stack file together with what it extends and includes, as one tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from glob import glob, has_magic
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import shown
from prism_iac.model.stack import TABLES
from prism_iac.spec._compose import compose
from prism_iac.spec._expand import Expansion, expand
from prism_iac.spec._references import MARK
from prism_iac.spec._source import read_source
from prism_iac.spec._tree import Node, Place, entries_of, merge, value_at, without_removed
from prism_iac.spec._variables import substitute

__all__ = ["Reading", "read_tree"]

_EXTENDS: Final = "extends"
_INCLUDE: Final = "include"
_REACHING: Final = frozenset({_EXTENDS, _INCLUDE})
_INCLUDABLE: Final = (*TABLES, "templates")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        expansion: The joined tree with every entry made; None where a file could not be read.
        files: The files, as the user named them, what is extended or included first.
        layers: The tree of each of them, without what it says of others.
        findings: What is wrong with the form of the files.
    """

    expansion: Expansion | None
    files: tuple[Path, ...]
    layers: tuple[Node, ...]
    findings: tuple[Finding, ...]

    @property
    def root(self) -> Node | None:
        """The joined tree; None where a file could not be read."""
        return self.expansion.root if self.expansion else None


def read_tree(path: Path) -> Reading:
    """A stack file joined with the files that it extends and includes; findings instead of errors."""
    reader = _Reader()
    is_whole = reader.read(path, extending=())
    expansion = None
    if is_whole:
        (first, *others) = reader.layers
        # The file's own names for what it extends and includes stay: they are fields of the document.
        root = without_removed(reduce(merge, others, first)) if others else first
        if reader.refers:
            root, findings = substitute(root)
            reader.findings += findings
        expansion = expand(root, refers=reader.refers)
        reader.findings += expansion.findings
    return Reading(expansion, tuple(reader.files), tuple(reader.layers), tuple(reader.findings))


class _Reader:
    """Reads files in the order in which they are joined; one that several name counts where it first comes."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.layers: list[Node] = []
        self.findings: list[Finding] = []
        self.refers = False
        self._known: set[Path] = set()

    def read(self, path: Path, *, extending: tuple[Path, ...]) -> bool:
        """Read a file after what it extends and includes; False where one of them cannot be read."""
        root = self._composed(path)
        if root is None:
            return False
        within = (*extending, path)
        bases = [self._read_base(path.parent / name, at, within) for name, at in _named(root, _EXTENDS)]
        included = [part for name, at in _named(root, _INCLUDE) for part in self._parts(name, at, within)]
        self.files.append(path)
        own = _without(root, _REACHING) if extending else root
        parts = [part for part in included if part is not None]
        self.findings += _clashes((*parts, own))
        self.layers += (*parts, own)
        return all(bases) and len(parts) == len(included)

    def _composed(self, path: Path) -> Node | None:
        """The mapping that a file holds; None where it holds none."""
        self._known.add(_real(path))
        try:
            text = read_source(path)
            root, findings = compose(text, str(path))
        except InvalidInput as error:
            self.files.append(path)
            self.findings += error.findings
            return None
        self.findings += findings
        if not isinstance(root.value, dict):
            self.files.append(path)
            message = "a stack file is a mapping"
            self.findings.append(Finding(*root.place, "", message, "Begin it with `environment: dev`."))
            return None
        self.refers |= MARK in text
        return root

    def _read_base(self, path: Path, at: Place, extending: tuple[Path, ...]) -> bool:
        if self._is_known(path, at, extending, _EXTENDS):
            return _real(path) not in _resolved(extending)
        return self._is_there(path, at, _EXTENDS) and self.read(path, extending=extending)

    def _parts(self, pattern: str, at: Place, including: tuple[Path, ...]) -> Iterator[Node | None]:
        """The tree of each file that a pattern of `include` names; None for what cannot be read."""
        folder = including[-1].parent
        if not has_magic(pattern):
            yield from self._part(folder / pattern, at, including)
            return
        names = glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207  # takes whole paths, too
        found = [folder / name for name in sorted(names)]
        files = [path for path in found if path.is_file()]
        if not files:
            self._refuse(
                at, _INCLUDE, f"no file is named like {shown(pattern)}", "Correct the pattern, or remove it."
            )
        for path in files:
            yield from self._part(path, at, including)

    def _part(self, path: Path, at: Place, including: tuple[Path, ...]) -> Iterator[Node | None]:
        if self._is_known(path, at, including, _INCLUDE):
            return
        root = self._composed(path) if self._is_there(path, at, _INCLUDE) else None
        if root is None:
            yield None
            return
        self.files.append(path)
        foreign = {name: entry for name, entry in entries_of(root).items() if name not in _INCLUDABLE}
        for name, entry in foreign.items():
            message = "an included file holds entries, and this is none"
            self.findings.append(Finding(*entry.key, name, message, f"Move it to {including[-1]}."))
        yield _without(root, foreign.keys())

    def _is_known(self, path: Path, at: Place, above: tuple[Path, ...], field: str) -> bool:
        """Whether a file was read before; a finding where it is one of those that lead to it."""
        real = _real(path)
        if real in _resolved(above):
            chain = " -> ".join(str(file) for file in (*above, path))
            verb = "extends" if field == _EXTENDS else "includes"
            self._refuse(at, field, f"this file {verb} itself: {chain}", "Break the circle.")
        return real in self._known

    def _is_there(self, path: Path, at: Place, field: str) -> bool:
        if path.is_file():
            return True
        try:
            read_source(path)
        except InvalidInput as error:
            for finding in error.findings:
                self._refuse(
                    at, field, f"{path}: {finding.message}", "Name a stack file relative to this one."
                )
        return False

    def _refuse(self, at: Place, field: str, message: str, fix: str) -> None:
        self.findings.append(Finding(*at, field, message, fix))


def _clashes(parts: Sequence[Node]) -> Iterator[Finding]:
    """Entries that a file and those which it includes declare more than once."""
    first: dict[tuple[str, str], Place] = {}
    for part in parts if len(parts) > 1 else ():
        for table in _INCLUDABLE:
            for name, entry in entries_of(value_at(part, (table,))).items():
                other = first.setdefault((table, name), entry.key)
                if other is not entry.key:
                    message = f"{shown(name)} is declared at {other}, too"
                    yield Finding(*entry.key, f"{table}.{name}", message, "Rename one, or keep one of them.")


def _named(root: Node, field: str) -> Iterator[tuple[str, Place]]:
    """What a file names in a field, and where; what is no text is for the shape to refuse."""
    named = value_at(root, (field,))
    if named is None:
        return
    for node in named.value if isinstance(named.value, tuple) else (named,):
        if isinstance(node.value, str):
            yield node.value, node.place


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError):
        return path  # what is wrong with it is told when it is read


def _resolved(paths: tuple[Path, ...]) -> set[Path]:
    return {_real(path) for path in paths}


def _without(root: Node, names: Collection[str]) -> Node:
    return Node({key: entry for key, entry in entries_of(root).items() if key not in names}, root.place)
