"""Pages of rows, and the text search that lists share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.orm import InstrumentedAttribute, Session

__all__ = ["Page", "Slice", "contains", "page_of"]

Row = TypeVar("Row")


class Slice(NamedTuple):
    """The part of a list that is wanted."""

    limit: int
    offset: int


class Page(NamedTuple, Generic[Row]):
    """Some rows of a list, and how long the list is."""

    rows: Sequence[Row]
    total: int


def page_of(session: Session, query: Select[Row], wanted: Slice, *, order: tuple[Any, ...]) -> Page[Row]:
    """The wanted part of a query's rows, and the number of all its rows.

    Args:
        session: An open session.
        query: Selects one entity.
        wanted: Which part.
        order: Sorts completely, so that pages neither overlap nor leave gaps.
    """
    total = session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    rows = session.scalars(query.order_by(*order).limit(wanted.limit).offset(wanted.offset)).all()
    return Page(rows, total)


def contains(column: InstrumentedAttribute[str], part: str) -> ColumnElement[bool]:
    """Whether a text column contains a text, whatever the case of letters."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{escaped}%", escape="\\")
