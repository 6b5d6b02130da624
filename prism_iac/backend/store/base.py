"""What every table shares: the registry, names of constraints, and times."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any
from uuid import uuid4

from sqlalchemy import DateTime, Dialect, ForeignKey, MetaData, Table, TypeDecorator, inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from prism_iac.errors import Conflict, RemoteFailure

__all__ = [
    "Base",
    "ComputationId",
    "DatabaseAway",
    "Duplicate",
    "UserId",
    "UtcTime",
    "WorkspaceId",
    "insert",
    "new_id",
]


class Duplicate(Conflict):
    """A row with the same unique value exists; the transaction is over."""


class DatabaseAway(RemoteFailure):
    """The database does not answer, or ended the transaction in favour of another; a repeat is safe."""


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

    def __init__(self, **values: Any) -> None:
        """A row with these values, and the defaults of its columns for the others."""
        for name, value in {**_defaults(type(self)), **values}.items():
            setattr(self, name, value)


@cache
def _defaults(kind: type[Base]) -> dict[str, Any]:
    """What the attributes of a mapped class are when nothing is said of them."""
    return {
        attribute.key: default.arg if isinstance(default, ScalarElementColumnDefault) else None
        for attribute in inspect(kind).column_attrs
        for default in (attribute.columns[0].default,)
    }


def _table(kind: type[Base]) -> Table:
    table = inspect(kind).local_table
    assert isinstance(table, Table), "a mapped class stands for a table"
    return table


@cache
def _columns(kind: type[Base]) -> list[tuple[str, str]]:
    """The attributes of a mapped class with their columns; keys that the database counts up are left out."""
    counted = _table(kind).autoincrement_column
    return [
        (attribute.key, attribute.columns[0].name)
        for attribute in inspect(kind).column_attrs
        if attribute.columns[0] is not counted
    ]


def new_id() -> str:
    """A fresh id: a random UUID as text."""
    return str(uuid4())


def insert(session: Session, *rows: Base) -> None:
    """Write rows of one kind; the session does not follow them, so later changes are not written.

    Raises:
        Duplicate: One of them repeats a unique value.
    """
    if not rows:
        return
    kind = type(rows[0])
    values = [{column: getattr(row, key) for key, column in _columns(kind)} for row in rows]
    try:
        session.connection().execute(_table(kind).insert(), values)
    except IntegrityError as error:
        raise Duplicate("a row with the same unique value exists") from error


UserId = Annotated[str, mapped_column(ForeignKey("users.id"))]
"""A column that names a user."""

WorkspaceId = Annotated[str, mapped_column(ForeignKey("workspaces.id"))]
"""A column that names a workspace."""

ComputationId = Annotated[str, mapped_column(ForeignKey("computations.id", ondelete="CASCADE"))]
"""A column that names a computation and goes with it."""
