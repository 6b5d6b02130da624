"""The query parameters that routes share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AfterValidator

from prism_iac.backend.store import Slice

__all__ = ["Days", "Moment", "PageSlice", "TextFilter", "since"]


async def _page_slice(
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Slice:
    return Slice(limit, offset)


PageSlice = Annotated[Slice, Depends(_page_slice)]
"""Which part of a list is wanted (D5)."""

Days = Annotated[int, Query(ge=1, le=365)]
"""How many days back, today among them (D24)."""

TextFilter = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")]
"""A text to narrow a list by."""


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is before or after all calendars in UTC") from error


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment, RFC 3339; without a zone it is UTC."""


def since(days: int, *, now: datetime) -> datetime:
    """The beginning of the day, UTC, that a number of days reaches back to."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
