"""Brings the roles of a definition to a computation (D50 to D53).

Whoever imports owns what is made, and holds one role as everybody does: what the file gives them besides
is joined to that of the owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol

from prism_iac.exchange._definition import RoleDefinition
from prism_iac.model import COMPUTATION_ROLES, Action
from prism_iac.prism import AlreadyExists

if TYPE_CHECKING:
    from prism_iac.prism import Roles

__all__ = ["bring_roles", "fingerprint", "roles_as_imported"]

_OWNER: Final = "owner"


class _Role(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def actions(self) -> Iterable[str]: ...

    @property
    def members(self) -> Iterable[str]: ...


def fingerprint(roles: Iterable[_Role]) -> int:
    """A number that two equal sets of roles share."""
    return hash(frozenset((role.name, frozenset(role.actions), frozenset(role.members)) for role in roles))


def roles_as_imported(
    roles: Iterable[RoleDefinition], member_of: Callable[[str], str | None], importer: str
) -> tuple[RoleDefinition, ...]:
    """The roles that a computation has after an import.

    Args:
        roles: Those of the definition.
        member_of: The id of a member of the workspace; None for others, who get no role.
        importer: The id of the user who imports.
    """
    named: dict[str, RoleDefinition] = {}
    owner_actions: set[Action] = set(COMPUTATION_ROLES[_OWNER])
    owner_members = {importer}
    for role in roles:
        members = {found for user in role.members if (found := member_of(user)) is not None}
        if role.name == _OWNER or importer in members:
            owner_actions |= set(role.actions)
        if role.name == _OWNER:
            owner_members |= members
        else:
            named[role.name] = RoleDefinition(role.name, role.actions, tuple(sorted(members - {importer})))
    owner = RoleDefinition(_OWNER, tuple(sorted(owner_actions)), tuple(sorted(owner_members)))
    return (owner, *named.values())


def bring_roles(
    roles: Roles, computation_id: str, wanted: Iterable[RoleDefinition], *, is_new: bool, owner_id: str
) -> None:
    """Make sure that a computation has these roles; what a cut-off import gave already stays.

    Args:
        roles: The role calls.
        computation_id: The computation.
        wanted: Its roles.
        is_new: It was made a moment ago, so it has the role of its owner alone.
        owner_id: Who made it.
    """
    usual = RoleDefinition(_OWNER, tuple(sorted(COMPUTATION_ROLES[_OWNER])), (owner_id,))
    roles_wanted = tuple(wanted)
    if is_new and usual in roles_wanted:
        try:
            for role in roles_wanted:
                if role != usual:
                    roles.create(computation_id, name=role.name, actions=role.actions, members=role.members)
        except AlreadyExists:
            # What an import that was killed had on its way may be done after the next one looked.
            pass
        else:
            return
    there = {
        role.name: (role.id, frozenset(role.actions), frozenset(role.members))
        for role in roles.list(computation_id)
    }
    for role in roles_wanted:
        if role.name not in there:
            roles.create(computation_id, name=role.name, actions=role.actions, members=role.members)
            continue
        role_id, actions, members = there[role.name]
        if more := sorted(set(role.actions) - actions):
            roles.add_actions(computation_id, role_id, more)
        if new := sorted(set(role.members) - members):
            roles.add_members(computation_id, role_id, new)
