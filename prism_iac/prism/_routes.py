"""The routes of one service below one base path: what every collection is built from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar

from prism_iac.prism._api import Api
from prism_iac.prism._call import Call
from prism_iac.prism._errors import Answer, UnexpectedReply
from prism_iac.prism._paging import PAGE_SIZE, Page, parse_page, walk
from prism_iac.prism._paths import join

__all__ = ["QueryValue", "Routes"]

T = TypeVar("T")

QueryValue: TypeAlias = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class Routes:
    """A base path and the query that every call below it carries (prism-rest.md D1)."""

    api: Api
    base: str
    query: Mapping[str, QueryValue] = field(default_factory=dict, hash=False)

    def call(
        self, method: str, *segments: str, query: Mapping[str, QueryValue] | None = None, body: Any = None
    ) -> Call:
        """A call of the route below the base that the segments name; query values of None are left out."""
        values = {**self.query, **(query or {})}
        return Call(
            method,
            join(self.base, *segments),
            query={name: _query_text(value) for name, value in values.items() if value is not None},
            body=body,
        )

    def get(
        self,
        parse: Callable[[object], T],
        *segments: str,
        query: Mapping[str, QueryValue] | None = None,
    ) -> T:
        """Read one document.

        Raises:
            ApiError: There is none, or it cannot be had.
        """
        return self.api.fetch(self.call("GET", *segments, query=query), parse)

    def pages(
        self,
        array: str,
        parse: Callable[[object], T],
        *segments: str,
        query: Mapping[str, QueryValue] | None = None,
        identity: Callable[[T], Hashable] = lambda item: item,
    ) -> Iterator[T]:
        """Every item of a list, fetched page by page as the iterator gets there.

        Args:
            array: The name of the array in a page.
            parse: Reads one item.
            *segments: The route below the base.
            query: Filters.
            identity: What makes two items the same.

        Raises:
            ApiError: While iterating.
        """
        filters = query or {}

        def fetch(offset: int) -> Page[T]:
            call = self.call("GET", *segments, query={**filters, "limit": PAGE_SIZE, "offset": offset})
            return self.api.fetch(call, partial(parse_page, array=array, parse=parse))

        return walk(fetch, identity, barren=lambda: self._circle(join(self.base, *segments)))

    def _circle(self, path: str) -> UnexpectedReply:
        return UnexpectedReply(
            "the pages of the list repeat themselves", answer=Answer("GET", self.api.endpoint, path)
        )


def _query_text(value: str | int | datetime) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
