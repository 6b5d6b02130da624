"""What a benchmark gives: figures with their spread and their target."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Figure", "compare", "count", "cpu_seconds_of", "difference", "seconds_of"]


@dataclass(frozen=True)
class Figure:
    """One thing that was measured several times.

    Attributes:
        name: What was measured.
        unit: `ratio`, `s`, `calls`, ...
        values: One for each round.
        at_most: The target for the median; None where the figure is only reported.
        raw: What the values were computed from, by name, one for each round.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    at_most: float | None = None
    raw: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool:
        """Whether the median is within the target; true where there is none."""
        return self.at_most is None or self.median <= self.at_most

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "min": min(self.values),
            "median": self.median,
            "max": max(self.values),
            "at_most": self.at_most,
            "is_met": self.is_met,
            "rounds": len(self.values),
            "raw": {name: list(values) for name, values in self.raw.items()},
        }


def seconds_of(act: Callable[[], object]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def cpu_seconds_of(act: Callable[[], object]) -> float:
    """What something costs in this process, whatever else the machine does."""
    begin = time.process_time()
    act()
    return time.process_time() - begin


def compare(
    name: str, subject: Sequence[float], reference: Sequence[float], *, at_most: float | None = None
) -> Figure:
    """The ratio of subject to reference in each round: what loads the machine loads both."""
    return Figure(
        name,
        "ratio",
        tuple(one / other for one, other in zip(subject, reference, strict=True)),
        at_most,
        {"subject": tuple(subject), "reference": tuple(reference)},
    )


def difference(
    name: str, subject: Sequence[float], reference: Sequence[float], *, at_most: float | None = None
) -> Figure:
    """By how many seconds the subject exceeds the reference in each round."""
    return Figure(
        name,
        "s",
        tuple(one - other for one, other in zip(subject, reference, strict=True)),
        at_most,
        {"subject": tuple(subject), "reference": tuple(reference)},
    )


def count(name: str, calls: int, *, at_most: int) -> Figure:
    """A number of calls, which is the same in every round."""
    return Figure(name, "calls", (float(calls),), float(at_most))
