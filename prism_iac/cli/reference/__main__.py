"""Writes the reference page below the current folder: `python -m prism_iac.cli.reference`."""

from __future__ import annotations

from pathlib import Path

from prism_iac.cli.reference import reference_page

if __name__ == "__main__":
    Path("docs/reference/cli.md").write_text(reference_page(), encoding="utf-8", newline="\n")
