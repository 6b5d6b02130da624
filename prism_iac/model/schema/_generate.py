"""Everything that is generated from the models, as files."""

from __future__ import annotations

import json
from pathlib import Path

from prism_iac.model.schema._json_schema import schemas
from prism_iac.model.schema._reference import reference_pages

__all__ = ["generate"]


def generate(root: Path) -> dict[Path, str]:
    """The text of every generated file, by its path.

    Args:
        root: The folder that has `schemas/` and `docs/`.
    """
    files = {
        root / "schemas" / f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    pages = {root / "docs" / "reference" / f"{name}.md": page for name, page in reference_pages().items()}
    return files | pages
