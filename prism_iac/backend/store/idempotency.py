"""The keys under which creates were made, so that a repeat finds the first record.

A key lives as long as the record that was made under it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, UserId, WorkspaceId, insert

__all__ = ["IdempotencyKey", "find", "forget", "reserve", "settle"]


class IdempotencyKey(Base):
    """One key of one user on one route of one workspace.

    Attributes:
        route: Method and path.
        digest: Of everything that the request says.
        record_id: What was made under the key; empty only inside the transaction that makes it.
    """

    __tablename__ = "idempotency_keys"

    workspace_id: Mapped[WorkspaceId] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    record_id: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]


def find(session: Session, workspace_id: str, user_id: str, route: str, key: str) -> IdempotencyKey | None:
    """The key, when it was used before."""
    query = select(IdempotencyKey).where(
        IdempotencyKey.workspace_id == workspace_id,
        IdempotencyKey.user_id == user_id,
        IdempotencyKey.route == route,
        IdempotencyKey.key == key,
    )
    return session.scalar(query)


def reserve(session: Session, key: IdempotencyKey) -> None:
    """Take a key for this transaction; another one that wants it waits for the end of this.

    Raises:
        Duplicate: Another transaction took it first.
    """
    insert(session, key)


def settle(session: Session, key: IdempotencyKey, record_id: str) -> None:
    """Note what was made under a key that this transaction took."""
    session.execute(
        update(IdempotencyKey)
        .where(
            IdempotencyKey.workspace_id == key.workspace_id,
            IdempotencyKey.user_id == key.user_id,
            IdempotencyKey.route == key.route,
            IdempotencyKey.key == key.key,
        )
        .values(record_id=record_id),
        execution_options={"synchronize_session": False},
    )


def forget(session: Session, record_ids: Collection[str]) -> None:
    """Drop the keys of records that are gone."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.record_id.in_(record_ids)))
