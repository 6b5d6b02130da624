"""Fits the petal width of irises to their petal length by least squares.

Runs inside the confidential VM: reads the one dataset in `datasets/`, writes `results/regression.json`.
Needs nothing but the standard library, so the VM needs no network.
"""

import csv
import json
from pathlib import Path
from statistics import correlation, linear_regression


def fit(table: Path) -> dict[str, float | int | str]:
    """The fitted line and how well it fits, over every row of the table."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    length = [float(row["petal_length_cm"]) for row in rows]
    width = [float(row["petal_width_cm"]) for row in rows]
    slope, intercept = linear_regression(length, width)
    return {
        "model": "petal_width_cm = slope * petal_length_cm + intercept",
        "rows": len(rows),
        "slope": slope,
        "intercept": intercept,
        "r_squared": correlation(length, width) ** 2,
    }


if __name__ == "__main__":
    (dataset,) = Path("datasets").iterdir()
    Path("results").mkdir(exist_ok=True)
    Path("results", "regression.json").write_text(json.dumps(fit(dataset), indent=2) + "\n", encoding="utf-8")
