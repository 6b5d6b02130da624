"""Walks through a list page by page while others change it.

Source: prism-rest.md section 1.5 and D5: named array, `total`, `limit`, `offset`; newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed

__all__ = ["PAGE_SIZE", "Page", "parse_page", "walk"]

T = TypeVar("T")

PAGE_SIZE: Final = 100
"""The most items that Prism gives at once."""

_MOST_BARREN_PAGES: Final = 5


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        total: How many items the whole list has; None when the server does not say.
    """

    items: tuple[T, ...]
    total: int | None


def parse_page(document: object, array: str, parse: Callable[[object], T]) -> Page[T]:
    """Read a page; a null array is an empty one, a missing one only where the total is 0.

    Raises:
        Malformed: The document is not a page of that array.
    """
    fields = Fields(document, "a page")
    total = fields.whole("total")
    if total != 0 and isinstance(document, dict) and array not in document:
        raise Malformed(f'a page has no field "{array}"')
    return Page(fields.items(parse, array), total)


def walk(
    fetch: Callable[[int], Page[T]], identity: Callable[[T], Hashable], *, barren: Callable[[], Exception]
) -> Iterator[T]:
    """Every item of a list, lazily, none twice.

    What is created meanwhile moves items to later pages: those are known by their identity. What is
    deleted meanwhile moves items to earlier pages: so each page begins with the last item of the page
    before, and when it does not, the walk goes back until it meets an item that it knows.

    Args:
        fetch: Gives the page at an offset.
        identity: What makes two items the same.
        barren: The error to raise when page after page brings nothing and there is no end.
    """
    seen: set[Hashable] = set()
    offset = length = barren_pages = 0
    while True:
        page = fetch(offset)
        keys = [identity(item) for item in page.items]
        if offset and length > 1 and (not keys or keys[0] not in seen):
            offset = max(0, offset - length)
            continue
        known = len(seen)
        for key, item in zip(keys, page.items, strict=True):
            if key not in seen:
                seen.add(key)
                yield item
        end, length = offset + len(keys), len(keys)
        if not keys or (page.total is not None and end >= page.total):
            return
        barren_pages = barren_pages + 1 if len(seen) == known else 0
        if barren_pages == _MOST_BARREN_PAGES:
            raise barren()
        offset = end - 1 if length > 1 else end
