"""Everything that letting a caller in takes, in one query."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from prism_iac.backend.store.roles import Membership, Role
from prism_iac.backend.store.users import User
from prism_iac.backend.store.workspaces import Workspace

__all__ = ["Admission", "look_up"]


class Admission(NamedTuple):
    """A caller and the workspace that was named.

    Attributes:
        caller: None where the account is gone.
        workspace: None where there is none of that id or alias.
        held: The actions of the caller's role in the workspace and on the computation, by the id of each;
            what the caller has no role in is left out.
    """

    caller: User | None
    workspace: Workspace | None
    held: dict[str, frozenset[str]]


def look_up(session: Session, *, user_id: str, workspace: str, computation_id: str) -> Admission:
    """What a caller holds in a workspace.

    Args:
        session: An open session.
        user_id: The caller.
        workspace: Its id or alias; an alias never has the form of an id.
        computation_id: The computation in question; empty for none.
    """
    is_meant = or_(Workspace.id == workspace, Workspace.alias == workspace)
    is_held = and_(
        Membership.user_id == User.id,
        or_(Membership.entity_id == Workspace.id, Membership.entity_id == computation_id),
    )
    query = (
        select(User, Workspace, Role.entity_id, Role.actions)
        .select_from(User)
        .outerjoin(Workspace, is_meant)
        .outerjoin(Membership, is_held)
        .outerjoin(Role, Role.id == Membership.role_id)
        .where(User.id == user_id)
    )
    rows = session.execute(query).all()
    if not rows:
        return Admission(None, None, {})
    held = {row.entity_id: frozenset(row.actions) for row in rows if row.entity_id is not None}
    return Admission(rows[0][0], rows[0][1], held)
