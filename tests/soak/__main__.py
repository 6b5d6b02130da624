"""`python -m tests.soak [--minutes N] [--clients N] [--on sqlite|postgres|both] [--results FILE]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.soak.soak import Outcome, Plan, soak, write_json
from tests.unit.backend.postgres import find_binaries, postgres_server

RESULTS = Path("benchmarks/results/soak.json")
GROWTH_SHARE = 0.05


def main(arguments: list[str]) -> int:
    """Soak backends on the databases that are named; 1 when one of them did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--on", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    outcomes = []
    for name in ("sqlite", "postgres") if given.on == "both" else (given.on,):
        plan = Plan(name, given.clients, given.minutes * 60, GROWTH_SHARE)
        with tempfile.TemporaryDirectory() as folder, _database(name) as url:
            outcomes.append(soak(Path(folder), plan, database_url=url))
    write_json(outcomes, given.results)
    _print(outcomes)
    return int(any(outcome.findings for outcome in outcomes))


@contextmanager
def _database(name: str) -> Iterator[str]:
    if name == "sqlite":
        yield ""
        return
    binaries = find_binaries()
    if binaries is None:
        sys.exit("There is no PostgreSQL server here; Debian's package is `postgresql`. Or say --on sqlite.")
    with postgres_server(binaries, is_durable=True) as url:
        yield url


def _print(outcomes: list[Outcome]) -> None:
    table = Table("", *(outcome.plan.database for outcome in outcomes))
    for name, tell in ROWS.items():
        table.add_row(name, *(tell(outcome) for outcome in outcomes))
    console = Console()
    console.print(table)
    for outcome in outcomes:
        for finding in outcome.findings:
            console.print(f"[bold red]{outcome.plan.database}: {finding}", highlight=False)


ROWS: dict[str, Callable[[Outcome], str]] = {
    "clients": lambda it: f"{it.plan.clients}",
    "seconds": lambda it: f"{it.seconds:.0f}",
    "calls (per second)": lambda it: f"{it.calls} ({it.calls / it.seconds:.0f})",
    "acknowledged writes": lambda it: f"{it.writes}",
    "runs": lambda it: f"{it.runs}",
    "errors": lambda it: f"{len(it.errors)}",
    "lost, surplus, changed": lambda it: ", ".join(str(len(found)) for found in it.difference),
    "memory: median, peak MiB": lambda it: f"{it.usage.memory:.0f}, {it.usage.peak:.0f}",
    "memory: MiB in each quarter": lambda it: ", ".join(f"{memory:.0f}" for memory in it.usage.quarters),
    "memory: growth after the warm-up": lambda it: (
        f"{it.usage.growth:+.1f} MiB ({it.usage.growth_share:+.1%})"
    ),
    "open files: most, growth": lambda it: f"{it.usage.files}, {it.usage.files_more:+d}",
    "threads, database connections": lambda it: f"{it.usage.threads}, {it.usage.connections}",
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
