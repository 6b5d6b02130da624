"""What a process takes over time: memory, open files, threads, connections to its database."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

WARM_UP = 0.25
"""The share of the time in which caches and pools fill."""


@dataclass(frozen=True)
class Sample:
    """A look at a process: seconds since the first one, resident MiB, and how many of what is open."""

    at: float
    memory: float
    files: int
    threads: int
    connections: int


@dataclass(frozen=True)
class Usage:
    """What samples come to.

    Attributes:
        memory: Resident MiB, the median after the warm-up.
        quarters: The median of resident MiB in each quarter of the time.
        growth: How many MiB it grew by after the warm-up, by the middle of all slopes between samples.
        files: The most that were open after the warm-up, and how many more than the most before its end.
    """

    seconds: float
    memory: float
    peak: float
    quarters: tuple[float, ...]
    growth: float
    files: int
    files_more: int
    threads: int
    connections: int

    @property
    def growth_share(self) -> float:
        return self.growth / self.memory


async def watch(pid: int, connections: Callable[[], int], every: float, samples: list[Sample]) -> None:
    """Take samples until this is cancelled."""
    began = time.monotonic()
    while True:
        samples.append(await asyncio.to_thread(_look, pid, connections, began))
        await asyncio.sleep(every)


def _look(pid: int, connections: Callable[[], int], began: float) -> Sample:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return Sample(
        at=time.monotonic() - began,
        memory=int(status["VmRSS"].split()[0]) / 1024,
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=int(status["Threads"]),
        connections=connections(),
    )


def usage_of(samples: Sequence[Sample]) -> Usage:
    end = samples[-1].at
    early = [sample for sample in samples if sample.at < end * WARM_UP]
    late = [sample for sample in samples if sample.at >= end * WARM_UP]
    files = max(sample.files for sample in late)
    return Usage(
        seconds=end,
        memory=statistics.median(sample.memory for sample in late),
        peak=max(sample.memory for sample in samples),
        quarters=tuple(_of_quarter(samples, number) for number in range(4)),
        growth=_slope(late) * (late[-1].at - late[0].at),
        files=files,
        files_more=files - max(sample.files for sample in early or late),
        threads=max(sample.threads for sample in samples),
        connections=max(sample.connections for sample in samples),
    )


def _of_quarter(samples: Sequence[Sample], number: int) -> float:
    length = samples[-1].at / 4
    found = [sample.memory for sample in samples if number * length <= sample.at <= (number + 1) * length]
    return statistics.median(found or [samples[-1].memory])


def _slope(samples: Sequence[Sample]) -> float:
    """MiB in a second by Theil and Sen: single outliers do not move it."""
    step = max(1, len(samples) // 200)
    points = samples[::step]
    slopes = [
        (later.memory - earlier.memory) / (later.at - earlier.at)
        for number, earlier in enumerate(points)
        for later in points[number + 1 :]
    ]
    return statistics.median(slopes) if slopes else 0.0
