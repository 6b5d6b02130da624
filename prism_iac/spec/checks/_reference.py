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
    "computations": "no computation is",
}

_REFERENCES: Final = (
    ("assets.*.provider", "participants"),
    ("promotion.approvers.*", "participants"),
    ("attestation_policies.*.vm", "vms"),
    ("certificates.*.vm", "vms"),
    ("attestation_policies.*.manifest", "computations"),
    ("attestation_policies.*.approvals.*.by", "participants"),
    ("vms.*.attestation_policy", "attestation_policies"),
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
    tables = {table: _Table(draft, table) for table in _NOBODY}
    for pattern, table in _REFERENCES:
        for location, node in _matches(draft.root, tuple(pattern.split("."))):
            if isinstance(node.value, str):
                yield from tables[table].missing(location, node.value.strip())
    for pattern, table in _NAMED_BY_KEY:
        for location, _ in _matches(draft.root, tuple(pattern.split("."))):
            yield from tables[table].missing(location, str(location[-1]), at_name=True)


class _Table:
    """The names of one table, and what to say of a name that is not among them."""

    def __init__(self, draft: Draft, table: str) -> None:
        node = value_at(draft.root, (table,))
        self._draft = draft
        self._table = table
        self._names = frozenset(node.value) if node and isinstance(node.value, dict) else frozenset()
        self._fixes: dict[str, str] = {}

    def missing(self, location: Location, name: str, *, at_name: bool = False) -> Iterator[Finding]:
        """A finding when no entry has the name."""
        if name in self._names:
            return
        if name not in self._fixes:  # the search for near names is slow, and one mistake is often repeated
            self._fixes[name] = self._fix(name)
        message = f"{_NOBODY[self._table]} named {shown(name)}"
        yield self._draft.finding(location, message, self._fixes[name], at_name=at_name)

    def _fix(self, name: str) -> str:
        if not self._names:
            return f"Declare it under `{self._table}:`."
        line = self._draft.place((self._table,), at_name=True).line
        return f"{nearest(name, self._names)} They are declared under `{self._table}:` (line {line})."


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
