"""Writes the schema of a plan below the current folder: `python -m prism_iac.plan`."""

from __future__ import annotations

from pathlib import Path

from prism_iac.plan import plan_schema

if __name__ == "__main__":
    Path("schemas/plan.schema.json").write_text(plan_schema(), encoding="utf-8", newline="\n")
