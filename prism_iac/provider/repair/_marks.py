"""Whose mark an object carries.

A mark is a digest, which tells nobody whose it is. It is known for whatever a stack has or had in its state, and for what
a stack would call after the object. A mark that none of the given stacks would give is another's: of another stack or
project, of an import, or of a resource whose name nobody remembers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prism_iac._engine import DYNAMIC_TYPES, NATIVE_TYPES, STACK_FILE_TYPE
from prism_iac.lifecycle import name_suffix
from prism_iac.model import mark_of
from prism_iac.provider._identity import identity_stem
from prism_iac.provider.repair._recorded import kind_of, name_of, plain

__all__ = ["Marks", "Owner"]

_MORE_GENERATIONS: Final = 16
"""How many replacements after those that a state tells of are thought of."""

_DYNAMIC_PLUGIN: Final = "pulumi-python:"


@dataclass(frozen=True, slots=True)
class Owner:
    """The resource that an object was made for."""

    stack: str
    kind: str
    name: str


@dataclass(slots=True)
class Marks:
    """The marks that some stacks give."""

    _owners: dict[str, Owner] = field(default_factory=dict)
    _stacks: dict[tuple[str, str], str] = field(default_factory=dict)
    _parents: dict[str, set[str]] = field(default_factory=dict)

    def add_stack(self, stack: str, project: str) -> None:
        """Take note of a stack: objects called after its resources are its own."""
        short = stack.rpartition("/")[2]
        self._stacks[project, short] = stack
        # The component of a stack file has the file's name, which is usually that of the stack.
        component = f"urn:pulumi:{short}::{project}::{STACK_FILE_TYPE}::{short}"
        self._parents.setdefault(stack, set()).add(component)

    def add_resources(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Take note of what the stacks have, or had at some time; resources of other stacks are left out."""
        for resource in resources:
            kind, (short, project) = kind_of(resource), _home_of(str(resource["urn"]))
            stack = self._stacks.get((project, short))
            if kind is None or stack is None:
                continue
            if parent := resource.get("parent"):
                self._parents.setdefault(stack, set()).add(parent)
            owner = Owner(stack, kind, name_of(resource))
            for part in ("inputs", "outputs"):
                if identity := plain(resource, part).get("identity"):
                    stem, _, generation = str(identity).rpartition(".")
                    self._add(owner, stem, int(generation) + _MORE_GENERATIONS)

    def owner_of_mark(self, mark: str, kind: str, called: Iterable[str]) -> Owner | None:
        """Whose the mark of a description is; None where no stack would give it.

        Args:
            mark: 12 hexadecimal characters.
            kind: That of the object.
            called: Names that it has, after which its resource may be called.
        """
        for name in called:
            self._think_of(kind, name)
        return self._owners.get(mark)

    def owner_of_vm(self, name: str) -> Owner | None:
        """Whose a VM with an automatic name is; None where no stack would give it."""
        called, _, suffix = name.rpartition("-")
        self._think_of("ConfidentialVM", called)
        return self._owners.get(suffix)

    def _think_of(self, kind: str, name: str) -> None:
        for (project, short), stack in self._stacks.items():
            for stem in _stems(project, short, kind, name, self._parents[stack]):
                self._add(Owner(stack, kind, name), stem, _MORE_GENERATIONS)

    def _add(self, owner: Owner, stem: str, generations: int) -> None:
        for generation in range(generations + 1):
            identity = f"{stem}.{generation}"
            mark = name_suffix(identity) if owner.kind == "ConfidentialVM" else mark_of(identity)
            self._owners.setdefault(mark, owner)


def _home_of(urn: str) -> tuple[str, str]:
    """The stack and the project of a URN."""
    stack, project, *_ = urn.removeprefix("urn:pulumi:").split("::")
    return stack, project


def _stems(project: str, stack: str, kind: str, name: str, parents: Iterable[str]) -> Iterator[str]:
    """The first parts of the identities that a resource of this name may have, at both faces."""
    dynamic = DYNAMIC_TYPES.removeprefix(_DYNAMIC_PLUGIN) + kind
    yield identity_stem(project, stack, dynamic, name)
    yield identity_stem(f"urn:pulumi:{stack}::{project}::{NATIVE_TYPES}{kind}::{name}")
    for parent in parents:
        types, _, parent_name = parent.split("::", 2)[2].partition("::")
        yield identity_stem(project, stack, types.rpartition("$")[2], parent_name, dynamic, name)
        yield identity_stem(f"urn:pulumi:{stack}::{project}::{types}${NATIVE_TYPES}{kind}::{name}")
