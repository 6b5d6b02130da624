"""Kills at every point of the lives of the main kinds: prints a table, and writes every kill as JSON."""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from prism_iac.testing.faults import Cut, add_options, conclude, survive, tell
from prism_iac.toolchain import ensure_pulumi
from tests.faults.lives import LIVES, PROJECT_FILE

__all__ = ["main"]

_RESULTS: Final = Path(__file__).parent / "results"


def main(arguments: list[str]) -> int:
    """Gives 0 when every kill was survived, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"whose lives: {', '.join(map(str, LIVES))}; all by default")
    add_options(parser)
    wanted = parser.parse_args(arguments)
    if unknown := set(wanted.names) - set(map(str, LIVES)):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    cuts: dict[str, list[Cut]] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        project = Path(folder)
        (project / "Pulumi.yaml").write_text(PROJECT_FILE, encoding="utf-8")
        for scenario in LIVES:
            if wanted.names and scenario.name not in wanted.names:
                continue
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
    return conclude(cuts, wanted.results or _RESULTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
