"""The rules of roles: who can be in one, and that somebody always rules (D50, D51).

Workspaces and computations have roles of the same kind; `Holder` says what differs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from prism_iac.backend._errors import Clash, Malformed, Missing
from prism_iac.backend._scope import ComputationScope, WorkspaceScope
from prism_iac.backend.store import roles, users
from prism_iac.backend.store.roles import Role
from prism_iac.model import Action, WorkspaceAction, nearest

__all__ = ["Holder", "give", "holder_of", "known_actions", "require_a_ruler"]


@dataclass(frozen=True, slots=True)
class Holder:
    """What has roles.

    Attributes:
        actions: What its roles can grant.
        ruling: The action without which nobody could change its roles any more.
    """

    workspace_id: str
    computation_id: str | None
    actions: type[StrEnum]
    ruling: StrEnum

    @property
    def id(self) -> str:
        """The id of the computation or, without one, of the workspace."""
        return self.computation_id or self.workspace_id


def holder_of(scope: WorkspaceScope) -> Holder:
    """The computation that a request is about or, without one, the workspace."""
    if isinstance(scope, ComputationScope):
        return Holder(scope.workspace.id, scope.computation.id, Action, Action.ADMINISTRATOR)
    return Holder(scope.workspace.id, None, WorkspaceAction, WorkspaceAction.MANAGE_ROLE)


def known_actions(holder: Holder, names: Iterable[str]) -> list[str]:
    """The names, sorted, without repetition.

    Raises:
        Malformed: One of them is no action.
    """
    known = {str(action) for action in holder.actions}
    for name in names:
        if name not in known:
            raise Malformed(f'there is no action "{name}"', next_step=nearest(name, known))
    return sorted(set(names))


def give(session: Session, holder: Holder, role: Role, user_ids: Collection[str], *, now: datetime) -> None:
    """Give users a role; those who hold it keep it.

    Raises:
        Missing: One of them has no account.
        Clash: One of them is not a member of the computation's workspace, or holds another role here (D51).
    """
    _require_eligible(session, holder, set(user_ids))
    held = roles.roles_of_members(session, holder.id, user_ids)
    for user_id, other in sorted(held.items()):
        if other.id != role.id:
            raise Clash(
                f'the user {user_id} holds the role "{other.name}" here',
                next_step="Take that role away first, or add the actions to it.",
            )
    roles.add_members(session, role, set(user_ids) - held.keys(), now=now)


def _require_eligible(session: Session, holder: Holder, user_ids: set[str]) -> None:
    missing = user_ids - users.find_many(session, user_ids).keys()
    if missing:
        raise Missing(f"there is no user {min(missing)}", next_step="Register the user first.")
    if holder.computation_id is None:
        return
    outsiders = user_ids - roles.roles_of_members(session, holder.workspace_id, user_ids).keys()
    if outsiders:
        raise Clash(
            f"the user {min(outsiders)} is not a member of the workspace",
            next_step="Give the user a workspace role first.",
        )


def require_a_ruler(session: Session, holder: Holder) -> None:
    """Make sure that a change left somebody who may change roles.

    Raises:
        Clash: It did not; the transaction must not be committed.
    """
    ruling = {
        role.id for role in roles.all_of(session, [holder.id])[holder.id] if holder.ruling in role.actions
    }
    if not any(member.role_id in ruling for member in roles.memberships_of(session, [holder.id])):
        raise Clash(
            f'this would leave nobody with the action "{holder.ruling}"',
            next_step="Give the action to somebody else first.",
        )
