"""Writes the generated files below the current folder: `python -m prism_iac.model.schema`."""

from __future__ import annotations

from pathlib import Path

from prism_iac.model.schema import generate


def main() -> None:
    """Write every file, making folders as needed."""
    for path, text in generate(Path.cwd()).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
