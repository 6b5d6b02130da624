"""Draws the fitted line over the measurements: `python plot.py iris.csv FOLDER`.

Reads `regression.json` in the folder and writes `regression.png` beside it. Ada runs it on her own machine,
on her own data; nothing here belongs to the computation.
"""

import csv
import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # no display is needed

from matplotlib import pyplot as plt  # only after a backend is chosen


def main(table: Path, folder: Path) -> None:
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    fitted = json.loads((folder / "regression.json").read_text(encoding="utf-8"))
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    for species in sorted({row["species"] for row in rows}):
        own = [row for row in rows if row["species"] == species]
        axes.scatter(
            [float(row["petal_length_cm"]) for row in own],
            [float(row["petal_width_cm"]) for row in own],
            s=18,
            alpha=0.7,
            label=species,
        )
    ends = [
        min(float(row["petal_length_cm"]) for row in rows),
        max(float(row["petal_length_cm"]) for row in rows),
    ]
    axes.plot(
        ends,
        [fitted["slope"] * end + fitted["intercept"] for end in ends],
        color="black",
        label=f"y = {fitted['slope']:.3f} x + ({fitted['intercept']:.3f}), R² = {fitted['r_squared']:.3f}",
    )
    axes.set_xlabel("petal length in cm")
    axes.set_ylabel("petal width in cm")
    axes.set_title(f"Least squares over {fitted['rows']} irises")
    axes.legend()
    figure.savefig(folder / "regression.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
