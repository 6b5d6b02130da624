"""Roles and their members, of workspaces and of computations alike.

`entity_id` is the id of the workspace or of the computation. A member holds one role per entity (D51):
the primary key of `role_members` says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, ComputationId, UserId, insert, new_id
from prism_iac.backend.store.paging import Page, Slice, page_of

__all__ = [
    "Membership",
    "Role",
    "add",
    "add_members",
    "all_of",
    "find",
    "find_by_name",
    "find_many",
    "held_by",
    "memberships_of",
    "page",
    "page_of_members",
    "remove",
    "remove_members",
    "roles_of_members",
]


class Role(Base):
    """Some actions on a workspace or a computation.

    Attributes:
        computation_id: Set for a computation's role, which goes with its computation.
        actions: Sorted, without repetition.
    """

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("entity_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    entity_id: Mapped[str]
    computation_id: Mapped[ComputationId | None] = mapped_column(index=True)
    name: Mapped[str]
    actions: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class Membership(Base):
    """A user's one role in a workspace or on a computation."""

    __tablename__ = "role_members"

    entity_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(primary_key=True, index=True)
    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]


def add(
    session: Session,
    *,
    workspace_id: str,
    computation_id: str | None,
    name: str,
    actions: Iterable[str],
    now: datetime,
) -> Role:
    """Record a role of the computation, or of the workspace where there is none.

    Raises:
        Duplicate: The entity has a role of this name.
    """
    role = Role(
        id=f"{'domain' if computation_id is None else 'computation'}_{new_id()}",
        entity_id=computation_id or workspace_id,
        computation_id=computation_id,
        name=name,
        actions=sorted(set(actions)),
        created_at=now,
    )
    insert(session, role)
    return role


def find(session: Session, entity_id: str, role_id: str) -> Role | None:
    """The entity's role with this id."""
    return session.scalar(select(Role).where(Role.id == role_id, Role.entity_id == entity_id))


def find_many(session: Session, role_ids: Collection[str]) -> dict[str, Role]:
    """The roles among these ids that exist, of whatever entity, by id."""
    return {role.id: role for role in session.scalars(select(Role).where(Role.id.in_(role_ids)))}


def find_by_name(session: Session, entity_id: str, name: str) -> Role | None:
    """The entity's role with this name."""
    return session.scalar(select(Role).where(Role.entity_id == entity_id, Role.name == name))


def page(session: Session, entity_id: str, wanted: Slice) -> Page[Role]:
    """One page of an entity's roles, newest first."""
    query = select(Role).where(Role.entity_id == entity_id)
    return page_of(session, query, wanted, order=(Role.created_at.desc(), Role.id))


def all_of(session: Session, entity_ids: Collection[str]) -> dict[str, list[Role]]:
    """Every role of some entities, oldest first, by entity."""
    found: dict[str, list[Role]] = {entity_id: [] for entity_id in entity_ids}
    query = select(Role).where(Role.entity_id.in_(entity_ids)).order_by(Role.created_at, Role.id)
    for role in session.scalars(query):
        found[role.entity_id].append(role)
    return found


def memberships_of(session: Session, entity_ids: Collection[str]) -> list[Membership]:
    """Every membership in some entities, sorted by user."""
    query = select(Membership).where(Membership.entity_id.in_(entity_ids)).order_by(Membership.user_id)
    return list(session.scalars(query))


def held_by(session: Session, user_id: str, entity_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """The actions that a user holds in each of some entities; entities without a role of the user are left out."""
    query = (
        select(Role.entity_id, Role.actions)
        .join(Membership, Membership.role_id == Role.id)
        .where(Membership.user_id == user_id, Membership.entity_id.in_(entity_ids))
    )
    return {entity_id: frozenset(actions) for entity_id, actions in session.execute(query)}


def roles_of_members(session: Session, entity_id: str, user_ids: Collection[str]) -> dict[str, Role]:
    """The role that each of some users holds in an entity; users without one are left out."""
    query = (
        select(Membership.user_id, Role)
        .join(Role, Membership.role_id == Role.id)
        .where(Membership.entity_id == entity_id, Membership.user_id.in_(user_ids))
    )
    return dict(session.execute(query).all())


def page_of_members(
    session: Session, wanted: Slice, *, role_id: str | None, entity_id: str
) -> Page[Membership]:
    """One page of the members of a role, or of the whole entity; newest first."""
    query = select(Membership).where(Membership.entity_id == entity_id)
    if role_id is not None:
        query = query.where(Membership.role_id == role_id)
    return page_of(session, query, wanted, order=(Membership.created_at.desc(), Membership.user_id))


def add_members(session: Session, role: Role, user_ids: Iterable[str], *, now: datetime) -> None:
    """Give users a role.

    Raises:
        Duplicate: One of them holds a role of this entity.
    """
    insert(
        session,
        *(
            Membership(entity_id=role.entity_id, user_id=user_id, role_id=role.id, created_at=now)
            for user_id in sorted(set(user_ids))
        ),
    )


def remove_members(session: Session, role: Role, user_ids: Collection[str] | None = None) -> None:
    """Take a role from users, or from every member; users who do not hold it are passed over."""
    query = delete(Membership).where(Membership.role_id == role.id)
    if user_ids is not None:
        query = query.where(Membership.user_id.in_(user_ids))
    session.execute(query)


def remove(session: Session, role: Role) -> None:
    """Forget a role with its memberships."""
    session.delete(role)
    session.flush()
