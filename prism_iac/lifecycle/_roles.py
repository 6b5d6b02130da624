"""One role per user and computation: joins what a definition and what grants ask for.

The definition of a computation alone gives and takes `DEFINED_ACTIONS`; a grant gives and takes the rest.
Source: prism-rest.md sections 4.6 and 2.9, D50 to D53.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Final

from prism_iac.model import COMPUTATION_ROLES, DEFINED_ACTIONS, Action, role_name
from prism_iac.prism import ApiConflict, NotFound

if TYPE_CHECKING:
    from prism_iac.prism import RoleRecord, Roles

__all__ = ["actions_by_user", "define_actions", "grant_actions", "roles_by_user", "withdraw_actions"]

_MOST_TRIES: Final = 5
_OWNER: Final = "owner"
_ACTIONS: Final = frozenset(Action)


def actions_by_user(roles: Iterable[RoleRecord]) -> dict[str, frozenset[Action]]:
    """The actions of each member, by user id."""
    return {member: _known(role.actions) for role in roles for member in role.members}


def _known(actions: Iterable[str]) -> frozenset[Action]:
    return frozenset(Action(action) for action in actions if action in _ACTIONS)


def roles_by_user(roles: Iterable[RoleRecord]) -> dict[str, RoleRecord]:
    """The role of each member, by user id."""
    return {member: role for role in roles for member in role.members}


def define_actions(roles: Roles, computation: str, defined: Mapping[str, frozenset[Action]]) -> None:
    """Make sure that exactly these users hold exactly these of the `DEFINED_ACTIONS`.

    Args:
        roles: The role calls.
        computation: The computation's id.
        defined: The actions that follow from the definition, by user id.
    """
    held = actions_by_user(roles.list(computation))
    for user in sorted({*held, *defined}):
        now = held.get(user, frozenset())
        rest = now - DEFINED_ACTIONS
        if now != rest and user not in defined and rest == {Action.VIEW}:
            # What is left came along with the part in the computation and goes with it.
            rest = frozenset()
        _set_actions(roles, computation, user, rest | defined.get(user, frozenset()))


def grant_actions(roles: Roles, computation: str, user: str, actions: frozenset[Action]) -> str:
    """Make sure that a user holds these actions besides those of the definition; gives the role's name."""
    defined = _actions_of(roles, computation, user) & DEFINED_ACTIONS
    return _set_actions(roles, computation, user, actions | defined)


def withdraw_actions(roles: Roles, computation: str, user: str) -> None:
    """Leave a user with the actions of the definition."""
    _set_actions(roles, computation, user, _actions_of(roles, computation, user) & DEFINED_ACTIONS)


def _actions_of(roles: Roles, computation: str, user: str) -> frozenset[Action]:
    return actions_by_user(roles.list(computation)).get(user, frozenset())


def _set_actions(roles: Roles, computation: str, user: str, actions: frozenset[Action]) -> str:
    for _ in range(_MOST_TRIES - 1):
        try:
            return _try_to_set_actions(roles, computation, user, actions)
        except (ApiConflict, NotFound):
            # Another deployment changes the same roles at this moment.
            continue
    return _try_to_set_actions(roles, computation, user, actions)


def _try_to_set_actions(roles: Roles, computation: str, user: str, actions: frozenset[Action]) -> str:
    wanted = actions | {Action.VIEW} if actions else actions
    known = list(roles.list(computation))
    current = next((role for role in known if user in role.members), None)
    if current is not None and _known(current.actions) == wanted:
        return current.name
    if current is not None and current.name == _OWNER and wanted:
        # Moving the owner to another role would leave nobody to administer the computation meanwhile.
        _change_actions(roles, computation, current, wanted, removable=DEFINED_ACTIONS)
        return current.name
    is_theirs = current is not None and current.members == (user,)
    target = next((role for role in known if _known(role.actions) == wanted and role is not current), None)
    name = _free_name(role_name(wanted), {role.name for role in known if role is not current})
    if current is not None and is_theirs and wanted and target is None:
        # In place: cut off between two roles, the user would have lost what others gave.
        roles.rename(computation, current.id, name=name)
        _change_actions(roles, computation, current, wanted)
        return name
    if current is not None:
        roles.remove_members(computation, current.id, [user])
        if is_theirs and current.name not in COMPUTATION_ROLES:
            roles.delete(computation, current.id)
    if not wanted:
        return ""
    if target is not None:
        roles.add_members(computation, target.id, [user])
        return target.name
    roles.create(computation, name=name, actions=sorted(wanted), members=[user])
    return name


def _free_name(name: str, taken: set[str]) -> str:
    candidates = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)


def _change_actions(
    roles: Roles,
    computation: str,
    role: RoleRecord,
    wanted: frozenset[Action],
    *,
    removable: frozenset[Action] = _ACTIONS,
) -> None:
    held = _known(role.actions)
    if added := sorted(wanted - held):
        roles.add_actions(computation, role.id, added)
    if removed := sorted((held - wanted) & removable):
        roles.remove_actions(computation, role.id, removed)
