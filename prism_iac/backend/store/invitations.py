"""Invitations into workspaces: the table and its queries."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, UserId, WorkspaceId
from prism_iac.backend.store.paging import Page, Slice, page_of

__all__ = ["Invitation", "InvitationState", "find", "page", "put", "remove"]


class InvitationState(StrEnum):
    """What became of an invitation."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Invitation(Base):
    """One user's invitation into one workspace, with the role that it brings.

    Attributes:
        state: An `InvitationState`.
        confirmed_at: When it was accepted or rejected.
    """

    __tablename__ = "invitations"

    workspace_id: Mapped[WorkspaceId] = mapped_column(primary_key=True)
    invitee: Mapped[UserId] = mapped_column(primary_key=True, index=True)
    invited_by: Mapped[UserId]
    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(default=InvitationState.PENDING)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


def put(session: Session, invitation: Invitation) -> None:
    """Record an invitation in place of the user's earlier one."""
    session.merge(invitation)
    session.flush()


def find(session: Session, workspace_id: str, invitee: str) -> Invitation | None:
    """The invitation of a user into a workspace."""
    return session.get(Invitation, (workspace_id, invitee))


def remove(session: Session, invitation: Invitation) -> None:
    """Forget an invitation."""
    session.delete(invitation)
    session.flush()


def page(
    session: Session,
    wanted: Slice,
    *,
    workspace_id: str | None = None,
    invitee: str | None = None,
    state: InvitationState | None = None,
) -> Page[Invitation]:
    """One page of invitations, newest first."""
    query = select(Invitation)
    if workspace_id is not None:
        query = query.where(Invitation.workspace_id == workspace_id)
    if invitee is not None:
        query = query.where(Invitation.invitee == invitee)
    if state is not None:
        query = query.where(Invitation.state == state)
    order = (Invitation.created_at.desc(), Invitation.workspace_id, Invitation.invitee)
    return page_of(session, query, wanted, order=order)
