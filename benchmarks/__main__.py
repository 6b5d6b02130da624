"""Measures what is asked for, prints a table and writes the figures as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from benchmarks import (
    agent,
    certificates,
    engine,
    exchange,
    imports,
    measurement,
    native,
    rest,
    stacks,
    start,
    verification,
    vms,
)
from benchmarks.figures import Figure
from benchmarks.report import print_table, write_json

__all__ = ["main"]


class _Measure(Protocol):
    def __call__(self, *, quick: bool) -> Iterator[Figure]: ...


_MEASURES: Final[dict[str, _Measure]] = {
    "imports": imports.measure,
    "measurement": measurement.measure,
    "start": start.measure,
    "rest": rest.measure,
    "verification": verification.measure,
    "certificates": certificates.measure,
    "vms": vms.measure,
    "engine": engine.measure,
    "native": native.measure,
    "exchange": exchange.measure,
    "stacks": stacks.measure,
    "agent": agent.measure,
}


def main(arguments: list[str], *, tell: Callable[[str], None] = print) -> int:
    """Gives 0 when every target is met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"what to measure: {', '.join(_MEASURES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    wanted = parser.parse_args(arguments)
    if unknown := set(wanted.names) - _MEASURES.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    for name in wanted.names or _MEASURES:
        for figure in _MEASURES[name](quick=wanted.quick):
            tell(f"{figure.name}: {figure.median:.2f} {figure.unit}")
            figures.append(figure)
    print_table(figures)
    tell(f"written to {write_json(figures, wanted.results, quick=wanted.quick)}")
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
