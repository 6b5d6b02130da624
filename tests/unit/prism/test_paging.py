"""A list is walked to its end, lazily, without a repeat, whatever others do to it meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.prism import UnexpectedReply
from prism_iac.prism._paging import Page, parse_page, walk
from tests.unit.prism.support import ok, workspace_of

LIMIT = 4


class Circle(Exception):
    """Raised where the walk finds no end."""


class ListServer:
    """A list, newest first, that a test changes between two pages."""

    def __init__(self, items: list[int], *, tells_total: bool = True) -> None:
        self.items = items
        self.tells_total = tells_total
        self.offsets: list[int] = []
        self.between: Callable[[], None] = lambda: None

    def fetch(self, offset: int) -> Page[int]:
        if self.offsets:
            self.between()
        self.offsets.append(offset)
        total = len(self.items) if self.tells_total else None
        return Page(tuple(self.items[offset : offset + LIMIT]), total)

    def walk(self) -> Iterator[int]:
        return walk(self.fetch, lambda item: item, barren=Circle)


@pytest.mark.parametrize("tells_total", [True, False])
@pytest.mark.parametrize("length", range(14))
def test_every_item_comes_once(length: int, *, tells_total: bool) -> None:
    server = ListServer(list(range(length)), tells_total=tells_total)
    assert list(server.walk()) == list(range(length))


def test_a_page_is_fetched_when_the_iterator_gets_there() -> None:
    server = ListServer(list(range(12)))
    items = server.walk()
    assert server.offsets == []
    assert [next(items) for _ in range(LIMIT)] == [0, 1, 2, 3]
    assert server.offsets == [0]
    next(items)
    assert len(server.offsets) == 2


def test_items_created_meanwhile_cause_no_repeat() -> None:
    server = ListServer(list(range(12)))
    new = iter([-1, -2, -3])
    server.between = lambda: server.items.insert(0, next(new, -9)) if len(server.items) < 15 else None
    found = list(server.walk())
    assert len(found) == len(set(found))
    assert set(range(12)) <= set(found)


def test_items_deleted_meanwhile_cause_no_gap() -> None:
    server = ListServer(list(range(12)))
    server.between = lambda: server.items.remove(0) if 0 in server.items else None
    assert list(server.walk()) == list(range(12))


def test_a_walk_beyond_the_new_end_of_a_shortened_list_goes_back() -> None:
    server = ListServer(list(range(12)))

    def drop_the_first_seven() -> None:
        server.items[:] = [item for item in server.items if item >= 7]

    server.between = drop_the_first_seven
    assert list(server.walk()) == [0, 1, 2, 3, 7, 8, 9, 10, 11]


@given(data=st.data())
def test_what_stays_is_found_once_under_random_changes(data: st.DataObject) -> None:
    server = ListServer(list(range(20)), tells_total=data.draw(st.booleans()))
    fresh = iter(range(-1, -100, -1))
    # Fewer new items for each page than a page advances, or no walk would ever get ahead.
    changes = iter(data.draw(st.lists(st.integers(-3, LIMIT - 2), max_size=8)))

    def change() -> None:
        amount = next(changes, 0)
        for _ in range(amount):
            server.items.insert(0, next(fresh))
        for _ in range(-amount):
            if server.items:
                server.items.pop(data.draw(st.integers(0, len(server.items) - 1)))

    server.between = change
    found = list(server.walk())
    assert len(found) == len(set(found))
    assert {item for item in server.items if item >= 0} <= set(found)


def test_a_server_that_ignores_the_offset_is_an_error_and_not_an_endless_list() -> None:
    with pytest.raises(Circle):
        list(walk(lambda _: Page((1, 2, 3), None), lambda item: item, barren=Circle))


def test_d5_a_page_without_offset_is_read_and_a_null_array_is_empty() -> None:
    assert parse_page({"cvms": ["a"], "total": 1}, "cvms", str).items == ("a",)
    assert parse_page({"cvms": None, "total": 0}, "cvms", str).items == ()
    assert parse_page({"total": 0}, "cvms", str).items == ()


def test_d5_pages_are_asked_for_by_the_hundred_until_the_total() -> None:
    cvms = [{"id": f"v{number}"} for number in range(250)]

    def respond(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        assert limit == 100
        return ok({"cvms": cvms[offset : offset + limit], "total": 250, "limit": limit, "offset": offset})

    workspace, prism = workspace_of(ok())
    prism.respond = respond
    assert [cvm.id for cvm in workspace.cvms.list()] == [cvm["id"] for cvm in cvms]
    assert [request.url.params["offset"] for request in prism.requests] == ["0", "99", "198"]


@pytest.mark.parametrize("document", [{}, {"total": 3}, [], "cvms", None, {"computations": [], "total": 0.5}])
def test_a_reply_without_the_list_is_never_an_empty_list(document: object) -> None:
    headers = {"Content-Type": "application/json"}
    workspace, _ = workspace_of(httpx.Response(200, content=json.dumps(document), headers=headers))
    with pytest.raises(UnexpectedReply, match="cannot be read"):
        list(workspace.cvms.list())


def test_pages_that_repeat_themselves_name_the_list() -> None:
    workspace, _ = workspace_of(ok({"cvms": [{"id": "a"}, {"id": "b"}], "total": 900}))
    with pytest.raises(UnexpectedReply, match="/backends/d0/cvms: the pages of the list repeat"):
        list(workspace.cvms.list())
