"""Kills at every point of the lives of the main kinds, and every call met by every fault of a network."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from prism_iac.prism import start_embedded
from prism_iac.testing.faults import Cut, add_options, conclude, end_processes_of, survive, tell
from prism_iac.toolchain import ensure_pulumi
from tests.faults.lives import LIVES, PROJECT_FILE
from tests.faults.network import Met, meet_all
from tests.faults.scenarios import SCENARIOS

__all__ = ["main"]

_RESULTS: Final = Path("benchmarks/results")
_NETWORK: Final = "network"
_NAMES: Final = (*map(str, LIVES), _NETWORK)


def main(arguments: list[str]) -> int:
    """Gives 0 when every kill and every fault was survived, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"what is tried: {', '.join(_NAMES)}; all by default")
    add_options(parser)
    wanted = parser.parse_args(arguments)
    names = wanted.names or _NAMES
    if unknown := set(names) - set(_NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    results = (wanted.results or _RESULTS).absolute()
    is_ridden_out = _NETWORK not in names or _ride_out()
    cuts: dict[str, list[Cut]] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        project = Path(folder)
        (project / "Pulumi.yaml").write_text(PROJECT_FILE, encoding="utf-8")
        for scenario in LIVES:
            if scenario.name in names:
                cuts[scenario.name] = survive(
                    scenario,
                    project,
                    ensure_pulumi(),
                    configuration={"prism:workspace": "research"},
                    every_point=wanted.every_point,
                    sample=wanted.sample,
                    seed=wanted.seed,
                    jobs=wanted.jobs,
                    report=partial(tell, scenario.name),
                )
    return (conclude(cuts, results) if cuts else 0) or int(not is_ridden_out)


def _ride_out() -> bool:
    """Print what became of the calls of each step; false where one neither went through nor told why."""
    table = Table("step", "calls x faults", "went through", "one error, then through", "seconds")
    is_fine = True
    with _backend() as data:
        for scenario in SCENARIOS:
            begun = time.monotonic()
            found: list[Met] = []
            try:
                found.extend(meet_all(data, scenario))
            except AssertionError as failure:
                is_fine = False
                print(f"{scenario}: NOT SURVIVED: {failure}", flush=True)
            told = sum(met.error is not None for met in found)
            numbers = (len(found), len(found) - told, told, round(time.monotonic() - begun))
            table.add_row(str(scenario), *map(str, numbers))
    Console(width=120).print(table)
    return is_fine


@contextmanager
def _backend() -> Iterator[Path]:
    """The data folder of a backend; steps work in the folder that it lies in."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        os.chdir(folder)
        try:
            start_embedded(Path(folder) / "data").close()
            yield Path(folder) / "data"
        finally:
            os.chdir(here)
            end_processes_of(Path(folder))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
