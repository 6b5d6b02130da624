"""What several processes share that are one instance: its keys, and the administrator's first password."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base

__all__ = ["InstanceKey", "all_of", "put"]


class InstanceKey(Base):
    """One secret that every replica has."""

    __tablename__ = "instance_keys"

    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]


def all_of(session: Session) -> dict[str, bytes]:
    """The secrets by name; none before the first replica's start."""
    return {key.name: key.content for key in session.scalars(select(InstanceKey))}


def put(session: Session, secrets: Mapping[str, bytes]) -> None:
    """Record secrets in place of earlier ones of their names."""
    for name, content in secrets.items():
        session.merge(InstanceKey(name=name, content=content))
    session.flush()
