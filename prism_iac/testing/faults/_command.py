"""Kills engine, provider and backend in the life of a program of yours, and says what became of it."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Final

from prism_iac.testing.faults._lives import Cut, Step
from prism_iac.testing.faults._report import print_table, rows_of, write_json
from prism_iac.testing.faults._survive import Scenario, survive
from prism_iac.toolchain import ensure_pulumi

__all__ = ["add_options", "conclude", "main", "tell"]

_WORKSPACE: Final = "faults"


def main(arguments: list[str]) -> int:
    """Gives 0 when every kill was survived, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m prism_iac.testing.faults", description=__doc__)
    parser.add_argument("project", type=Path, help="a folder with Pulumi.yaml; a copy of it is worked with")
    parser.add_argument(
        "--then",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="the next __main__.py; repeatable",
    )
    parser.add_argument(
        "--config", action="append", default=[], metavar="KEY=VALUE", help="of the stack; repeatable"
    )
    add_options(parser)
    wanted = parser.parse_args(arguments)
    configuration = dict(item.split("=", 1) for item in wanted.config)
    scenario = Scenario(
        wanted.project.absolute().name,
        (
            Step("create", files={"__main__.py": (wanted.project / "__main__.py").read_text("utf-8")}),
            *(
                Step(f"then {path.name}", files={"__main__.py": path.read_text("utf-8")})
                for path in wanted.then
            ),
            Step("delete", "destroy"),
        ),
    )
    cuts = survive(
        scenario,
        wanted.project,
        ensure_pulumi(),
        configuration={"prism:workspace": _WORKSPACE, **configuration},
        every_point=wanted.every_point,
        sample=wanted.sample,
        seed=wanted.seed,
        jobs=wanted.jobs,
        report=partial(tell, scenario.name),
    )
    return conclude({scenario.name: cuts}, wanted.results)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options that whoever kills has: how many, and where the figures go."""
    parser.add_argument("--sample", type=int, metavar="N", help="as many kills of each step; all by default")
    parser.add_argument("--every-point", action="store_true", help="also where the same is left behind")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice")
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="how many worlds at once; 2 by default"
    )
    parser.add_argument("--results", type=Path, metavar="DIR", help="write every kill as JSON into a folder")


def tell(scenario: str, cut: Cut) -> None:
    """Print one line for a kill, and what was wrong after it."""
    verdict = "\n".join(("NOT SURVIVED:", *cut.faults)) if cut.faults else "survived"
    print(f"{scenario} {cut.step}: {cut.victim} {cut.point}, {cut.seconds:.1f} s: {verdict}", flush=True)  # noqa: T201


def conclude(cuts: dict[str, list[Cut]], results: Path | None) -> int:
    """Print the table, write the figures, and give the exit code."""
    rows = [row for name, found in cuts.items() for row in rows_of(name, found)]
    print_table(rows)
    if results is not None:
        print(f"written to {write_json(cuts, results)}")  # noqa: T201
    return 0 if all(row.has_survived for row in rows) else 1
