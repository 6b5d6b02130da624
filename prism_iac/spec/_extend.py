"""Reads a stack file together with what it extends, as one tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.spec._compose import compose
from prism_iac.spec._source import read_source
from prism_iac.spec._tree import Entry, Node, merge

__all__ = ["Reading", "read_tree"]

_EXTENDS: Final = "extends"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        root: The joined tree; None where a file could not be read.
        files: The files, as the user named them, what is extended first.
        findings: What is wrong with the form of the files.
    """

    root: Node | None
    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


def read_tree(path: Path) -> Reading:
    """A stack file joined with the files that it extends; findings instead of errors."""
    return _read(path, extending=())


def _read(path: Path, *, extending: tuple[Path, ...]) -> Reading:
    try:
        root, findings = compose(read_source(path), str(path))
    except InvalidInput as error:
        return Reading(None, (path,), tuple(error.findings))
    if not isinstance(root.value, dict):
        file, line, column = root.place
        finding = Finding(
            file, line, column, "", "a stack file is a mapping", "Begin it with `environment: dev`."
        )
        return Reading(None, (path,), (*findings, finding))
    entry = root.value.get(_EXTENDS)
    if entry is None or not isinstance(entry.node.value, str):
        return Reading(root, (path,), tuple(findings))
    base = _read_base(path.parent / entry.node.value, entry, (*extending, path))
    joined = merge(_without_extends(base.root), root) if base.root else None
    return Reading(joined, (*base.files, path), (*base.findings, *findings))


def _read_base(path: Path, entry: Entry, extending: tuple[Path, ...]) -> Reading:
    if any(_is_same(path, file) for file in extending):
        chain = " -> ".join(str(file) for file in (*extending, path))
        finding = _at_extends(entry, f"this file extends itself: {chain}", "Break the circle.")
        return Reading(None, (), (finding,))
    base = _read(path, extending=extending)
    if base.files == (path,) and not path.is_file():
        reasons = (f"{path}: {finding.message}" for finding in base.findings)
        return Reading(
            None,
            (),
            tuple(
                _at_extends(entry, reason, "Name a stack file relative to this one.") for reason in reasons
            ),
        )
    return base


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False


def _at_extends(entry: Entry, message: str, fix: str) -> Finding:
    file, line, column = entry.node.place
    return Finding(file, line, column, _EXTENDS, message, fix)


def _without_extends(root: Node) -> Node:
    entries = root.value if isinstance(root.value, dict) else {}
    return Node({key: entry for key, entry in entries.items() if key != _EXTENDS}, root.place)
