"""Workspaces: the table and its queries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, UserId, insert, new_id
from prism_iac.backend.store.paging import Page, Slice, contains, page_of
from prism_iac.backend.store.roles import Membership

__all__ = ["Workspace", "add", "find", "is_alias_taken", "page"]


class Workspace(Base):
    """A workspace; the wire calls it a domain."""

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    alias: Mapped[str] = mapped_column(unique=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[UserId]
    updated_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime | None]


def add(session: Session, *, name: str, alias: str, created_by: str, now: datetime) -> Workspace:
    """Record a workspace.

    Raises:
        Duplicate: The alias is taken.
    """
    workspace = Workspace(id=new_id(), name=name, alias=alias, created_by=created_by, created_at=now)
    insert(session, workspace)
    return workspace


def find(session: Session, id_or_alias: str) -> Workspace | None:
    """The workspace with this id or alias; an alias never has the form of an id."""
    return session.scalar(
        select(Workspace).where((Workspace.id == id_or_alias) | (Workspace.alias == id_or_alias))
    )


def is_alias_taken(session: Session, alias: str) -> bool:
    """Whether a workspace has this alias."""
    return session.scalar(select(Workspace.id).where(Workspace.alias == alias)) is not None


def page(
    session: Session,
    wanted: Slice,
    *,
    member: str | None,
    name: str | None = None,
    enabled: bool | None = None,
) -> Page[Workspace]:
    """One page of workspaces, newest first.

    Args:
        session: An open session.
        wanted: Which part.
        member: The user who must belong to them; None for all workspaces.
        name: A part of the name.
        enabled: Whether they are enabled; None for both.
    """
    query = select(Workspace)
    if member is not None:
        query = query.join(Membership, Membership.entity_id == Workspace.id).where(
            Membership.user_id == member
        )
    if name is not None:
        query = query.where(contains(Workspace.name, name))
    if enabled is not None:
        query = query.where(Workspace.enabled == enabled)
    return page_of(session, query, wanted, order=(Workspace.created_at.desc(), Workspace.id))
