"""Shows figures as a table and keeps them as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure

__all__ = ["print_table", "write_json"]


def print_table(figures: Sequence[Figure]) -> None:
    """One line for each figure."""
    table = Table("figure", "unit")
    for heading in ("min", "median", "max", "target"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for figure in figures:
        target = "" if figure.at_most is None else f"≤ {figure.at_most:g}"
        verdict = "" if figure.at_most is None else "met" if figure.is_met else "[bold red]missed"
        spread = (min(figure.values), figure.median, max(figure.values))
        table.add_row(figure.name, figure.unit, *(_number(value) for value in spread), target, verdict)
    Console().print(table)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"


def write_json(figures: Sequence[Figure], folder: Path, *, quick: bool) -> Path:
    """Write a file of its own for this run; gives its path."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    document = {
        "at": now.isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {
            "processors": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "load_average": os.getloadavg(),
        },
        "figures": [figure.to_json() for figure in figures],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path
