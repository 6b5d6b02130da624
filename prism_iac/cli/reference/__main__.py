"""Writes the reference pages below the current folder: `python -m prism_iac.cli.reference`."""

from __future__ import annotations

from pathlib import Path

from prism_iac.cli.reference import reference_page, rules_page

if __name__ == "__main__":
    for path, text in {"docs/reference/cli.md": reference_page(), "docs/rules.md": rules_page()}.items():
        Path(path).write_text(text, encoding="utf-8", newline="\n")
