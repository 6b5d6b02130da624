"""Users: the table and its queries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, Select, select, union_all
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, insert, new_id
from prism_iac.backend.store.paging import Page, Slice, contains, page_of

__all__ = [
    "NewUser",
    "User",
    "UserFilter",
    "add",
    "find",
    "find_by_login",
    "find_many",
    "owns_anything",
    "page",
]


class User(Base):
    """An account.

    Attributes:
        email: Lower case, unique.
        sessions_from: Tokens that were issued before this moment count no more.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    password_hash: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(JSON)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    profile_picture: Mapped[str]
    enabled: Mapped[bool] = mapped_column(default=True)
    is_platform_administrator: Mapped[bool] = mapped_column(default=False)
    sessions_from: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime | None]


class NewUser(NamedTuple):
    """What a new account consists of."""

    username: str
    email: str
    password_hash: str
    first_name: str = ""
    last_name: str = ""
    tags: tuple[str, ...] = ()
    details: dict[str, Any] | None = None
    profile_picture: str = ""
    is_platform_administrator: bool = False


class UserFilter(NamedTuple):
    """What a list of users is narrowed by; None narrows nothing.

    Attributes:
        name: A part of the user name, the first or the last name.
        identity: The whole user name or email.
    """

    name: str | None = None
    identity: str | None = None
    username: str | None = None
    email: str | None = None
    enabled: bool | None = None


def add(session: Session, new: NewUser, *, now: datetime) -> User:
    """Record an account.

    Raises:
        Duplicate: The user name or the email is taken.
    """
    user = User(
        id=new_id(),
        username=new.username,
        email=new.email.lower(),
        first_name=new.first_name,
        last_name=new.last_name,
        password_hash=new.password_hash,
        tags=list(new.tags),
        details=new.details or {},
        profile_picture=new.profile_picture,
        is_platform_administrator=new.is_platform_administrator,
        sessions_from=now.replace(microsecond=0),  # tokens carry whole seconds
        created_at=now,
    )
    insert(session, user)
    return user


def find(session: Session, user_id: str) -> User | None:
    """The account with this id."""
    return session.get(User, user_id)


def find_by_login(session: Session, login: str) -> User | None:
    """The account with this user name or, in any case of letters, this email."""
    return session.scalar(select(User).where((User.username == login) | (User.email == login.lower())))


def find_many(session: Session, user_ids: set[str]) -> dict[str, User]:
    """The accounts among these ids that exist, by id."""
    found = session.scalars(select(User).where(User.id.in_(user_ids)))
    return {user.id: user for user in found}


def page(session: Session, wanted: Slice, by: UserFilter) -> Page[User]:
    """One page of accounts, newest first."""
    return page_of(session, _filtered(by), wanted, order=(User.created_at.desc(), User.id))


def _filtered(by: UserFilter) -> Select[User]:
    query = select(User)
    if by.name is not None:
        query = query.where(
            contains(User.username, by.name)
            | contains(User.first_name, by.name)
            | contains(User.last_name, by.name)
        )
    if by.identity is not None:
        query = query.where((User.username == by.identity) | (User.email == by.identity.lower()))
    if by.username is not None:
        query = query.where(User.username == by.username)
    if by.email is not None:
        query = query.where(User.email == by.email.lower())
    if by.enabled is not None:
        query = query.where(User.enabled == by.enabled)
    return query


def owns_anything(session: Session, user_id: str) -> bool:
    """Whether an account owns a computation or an asset, or made a workspace that is enabled."""
    from prism_iac.backend.store.assets import Asset
    from prism_iac.backend.store.computations import Computation
    from prism_iac.backend.store.workspaces import Workspace

    owned = union_all(
        select(Computation.id).where(Computation.owner == user_id),
        select(Asset.id).where(Asset.user_id == user_id),
        select(Workspace.id).where(Workspace.created_by == user_id, Workspace.enabled),
    )
    return session.execute(owned.limit(1)).first() is not None
