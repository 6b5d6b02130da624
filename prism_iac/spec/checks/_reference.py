"""References: every name that stands for an entry elsewhere in the file must have one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.errors import Finding
from prism_iac.model import Location, nearest, shown
from prism_iac.spec._draft import Draft
from prism_iac.spec._tree import Node, value_at

__all__ = ["check_references"]

_NOBODY: Final = {
    "participants": "no participant is",
    "assets": "no asset is",
    "certificates": "no certificates are",
    "attestation_policies": "no attestation policy is",
    "vms": "no VM is",
}

_REFERENCES: Final = (
    ("assets.*.provider", "participants"),
    ("attestation_policies.*.vm", "vms"),
    ("computations.*.algorithm", "assets"),
    ("computations.*.datasets.*", "assets"),
    ("computations.*.result_consumers.*", "participants"),
    ("computations.*.agent.certificates", "certificates"),
    ("computations.*.agent.attestation_policy", "attestation_policies"),
    ("computations.*.vm", "vms"),
)
"""Where a name of an entry stands as a value, and the table that has the entry."""

_NAMED_BY_KEY: Final = (("computations.*.participants.*", "participants"),)
"""Where a name of an entry stands as a key."""


def check_references(draft: Draft) -> Iterator[Finding]:
    """Names that no entry has."""
    for pattern, table in _REFERENCES:
        known = _names(draft, table)
        for location, node in _matches(draft.root, tuple(pattern.split("."))):
            if isinstance(node.value, str) and node.value.strip() not in known:
                yield _unknown(draft, location, node.value.strip(), table)
    for pattern, table in _NAMED_BY_KEY:
        known = _names(draft, table)
        for location, _ in _matches(draft.root, tuple(pattern.split("."))):
            if location[-1] not in known:
                yield _unknown(draft, location, str(location[-1]), table, at_name=True)


def _names(draft: Draft, table: str) -> frozenset[str]:
    node = value_at(draft.root, (table,))
    return frozenset(node.value) if node and isinstance(node.value, dict) else frozenset()


def _matches(
    node: Node, pattern: tuple[str, ...], location: Location = ()
) -> Iterator[tuple[Location, Node]]:
    if not pattern:
        yield location, node
        return
    step, rest = pattern[0], pattern[1:]
    if isinstance(node.value, dict):
        for name in node.value if step == "*" else ({step} & node.value.keys()):
            yield from _matches(node.value[name].node, rest, (*location, name))
    elif isinstance(node.value, tuple) and step == "*":
        for index, item in enumerate(node.value):
            yield from _matches(item, rest, (*location, index))


def _unknown(draft: Draft, location: Location, name: str, table: str, *, at_name: bool = False) -> Finding:
    known = _names(draft, table)
    where = f"They are declared under `{table}:` (line {draft.place((table,), at_name=True).line})."
    fix = f"{nearest(name, known)} {where}" if known else f"Declare it under `{table}:`."
    return draft.finding(location, f"{_NOBODY[table]} named {shown(name)}", fix, at_name=at_name)
