from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prism_iac.cli._follow import follow

START = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    text: str
    seconds: int

    @property
    def timestamp(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def told(*looks: list[Line]) -> tuple[list[str], list[datetime | None]]:
    """What is told of a list that grows from look to look and ends with the last, and since when it was read."""
    states: Iterator[list[Line]] = iter(looks)
    left = len(looks)
    asked: list[datetime | None] = []

    def newest_first(since: datetime | None) -> list[Line]:
        asked.append(since)
        lines = sorted(next(states), key=lambda line: line.seconds, reverse=True)
        return [line for line in lines if since is None or line.timestamp >= since]

    def is_over() -> bool:
        nonlocal left
        left -= 1
        return left == 0

    return [line.text for line in follow(newest_first, is_over, sleep=lambda _: None)], asked


A, B, C = Line("a", 0), Line("b", 1), Line("c", 2)


def test_entries_are_told_once_and_in_order() -> None:
    assert told([A], [A, B], [A, B], [A, B, C])[0] == ["a", "b", "c"]


def test_entries_that_come_with_the_end_are_told() -> None:
    assert told([], [C, A, B])[0] == ["a", "b", "c"]


def test_an_entry_that_comes_late_is_told_late() -> None:
    assert told([A, C], [A, B, C])[0] == ["a", "c", "b"]


def test_only_the_recent_part_of_a_long_list_is_read_again() -> None:
    late = Line("late", 600)
    _, asked = told([A], [A, late], [A, late])
    assert asked == [None, START - timedelta(minutes=1), late.timestamp - timedelta(minutes=1)]
