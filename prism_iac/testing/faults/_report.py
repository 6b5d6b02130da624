"""Shows how many kills were survived as a table, and keeps all of them as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from prism_iac.testing.faults._lives import Cut
from prism_iac.testing.faults._world import Victim

__all__ = ["Row", "print_table", "rows_of", "write_json"]


@dataclass(frozen=True)
class Row:
    """What became of the kills of one step.

    Attributes:
        scenario: The life that it is a step of.
        points: How many different ones there were.
        kills: How often each was killed.
        survived: After how many of them all was well.
        seconds: How long all of it took.
    """

    scenario: str
    step: str
    points: int
    kills: dict[Victim, int]
    survived: int
    seconds: float

    @property
    def has_survived(self) -> bool:
        """Whether all was well each time."""
        return self.survived == sum(self.kills.values())


def rows_of(scenario: str, cuts: Iterable[Cut]) -> list[Row]:
    """One row for each step, in the order in which they come first."""
    by_step: dict[str, list[Cut]] = {}
    for cut in cuts:
        by_step.setdefault(cut.step, []).append(cut)
    return [
        Row(
            scenario=scenario,
            step=step,
            points=len({cut.point for cut in of_step}),
            kills={victim: sum(cut.victim is victim for cut in of_step) for victim in Victim},
            survived=sum(not cut.faults for cut in of_step),
            seconds=sum(cut.seconds for cut in of_step),
        )
        for step, of_step in by_step.items()
    ]


def print_table(rows: Sequence[Row]) -> None:
    """One line for each step, and one for all."""
    table = Table("scenario", "step")
    for heading in ("points", *(f"kills of {victim}" for victim in Victim), "survived", "seconds"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.scenario, row.step, *_numbers(row), style="" if row.has_survived else "bold red")
    table.add_section()
    table.add_row("all", "", *_numbers(_sum(rows)))
    Console(width=120).print(table)


def write_json(cuts: dict[str, list[Cut]], folder: Path) -> Path:
    """Write a file of its own for these kills; gives its path."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"kills-{now:%Y-%m-%dT%H%M%SZ}.json"
    rows = [row for scenario, found in cuts.items() for row in rows_of(scenario, found)]
    document = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {
            "processors": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
        "rows": [_document(row) for row in [*rows, _sum(rows)]],
        "kills": [
            {
                "scenario": scenario,
                "step": cut.step,
                "point": str(cut.point),
                "victim": cut.victim,
                "seconds": round(cut.seconds, 1),
                "faults": list(cut.faults),
            }
            for scenario, found in cuts.items()
            for cut in found
        ],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def _sum(rows: Sequence[Row]) -> Row:
    return Row(
        scenario="all",
        step="",
        points=sum(row.points for row in rows),
        kills={victim: sum(row.kills[victim] for row in rows) for victim in Victim},
        survived=sum(row.survived for row in rows),
        seconds=sum(row.seconds for row in rows),
    )


def _numbers(row: Row) -> list[str]:
    return [
        str(row.points),
        *(str(row.kills[victim]) for victim in Victim),
        str(row.survived),
        f"{row.seconds:.0f}",
    ]


def _document(row: Row) -> dict[str, Any]:
    return {
        "scenario": row.scenario,
        "step": row.step,
        "points": row.points,
        "kills": dict(row.kills),
        "survived": row.survived,
        "seconds": round(row.seconds),
    }
