"""What every table shares: the registry, names of constraints, and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

from sqlalchemy import DateTime, Dialect, ForeignKey, MetaData, TypeDecorator
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from prism_iac.errors import Conflict

__all__ = ["Base", "ComputationId", "Duplicate", "UserId", "UtcTime", "WorkspaceId", "insert", "new_id"]


class Duplicate(Conflict):
    """A row with the same unique value exists; the transaction is over."""


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC moment, stored without zone so that both databases compare and group it alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the hook's signature
        """The moment as it is stored."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the hook's signature
        """The moment as the program sees it."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The base of every mapped class."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime}  # noqa: RUF012  # the name and shape are SQLAlchemy's


def new_id() -> str:
    """A fresh id: a random UUID as text."""
    return str(uuid4())


def insert(session: Session, *rows: Base) -> None:
    """Write rows.

    Raises:
        Duplicate: One of them repeats a unique value.
    """
    session.add_all(rows)
    try:
        session.flush()
    except IntegrityError as error:
        raise Duplicate("a row with the same unique value exists") from error


UserId = Annotated[str, mapped_column(ForeignKey("users.id"))]
"""A column that names a user."""

WorkspaceId = Annotated[str, mapped_column(ForeignKey("workspaces.id"))]
"""A column that names a workspace."""

ComputationId = Annotated[str, mapped_column(ForeignKey("computations.id", ondelete="CASCADE"))]
"""A column that names a computation and goes with it."""
