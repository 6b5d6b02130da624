"""Participants' public keys: one for each user and computation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, ComputationId, UserId

__all__ = ["PublicKey", "of_computations", "put"]


class PublicKey(Base):
    """The key by which an agent knows a participant; `der` is its PKIX form."""

    __tablename__ = "public_keys"

    computation_id: Mapped[ComputationId] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    der: Mapped[bytes]
    created_at: Mapped[datetime]


def put(session: Session, *, computation_id: str, user_id: str, der: bytes, now: datetime) -> None:
    """Record a user's key for a computation in place of an earlier one."""
    session.merge(PublicKey(computation_id=computation_id, user_id=user_id, der=der, created_at=now))
    session.flush()


def of_computations(session: Session, computation_ids: Collection[str]) -> dict[str, dict[str, bytes]]:
    """The keys of some computations, by computation and user."""
    found: dict[str, dict[str, bytes]] = {computation_id: {} for computation_id in computation_ids}
    for key in session.scalars(select(PublicKey).where(PublicKey.computation_id.in_(computation_ids))):
        found[key.computation_id][key.user_id] = key.der
    return found
