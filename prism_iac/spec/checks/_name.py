"""Names that a reader, or a file system, would take for each other."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding
from prism_iac.model.stack import TABLES
from prism_iac.spec._draft import Draft
from prism_iac.spec._tree import value_at

__all__ = ["check_names"]


def check_names(draft: Draft) -> Iterator[Finding]:
    """Names of one table that differ by case alone."""
    for table in TABLES:
        node = value_at(draft.root, (table,))
        seen: dict[str, str] = {}
        for name in node.value if node and isinstance(node.value, dict) else ():
            other = seen.setdefault(name.casefold(), name)
            if other != name:
                yield draft.finding(
                    (table, name),
                    f'"{name}" and "{other}" differ by case alone',
                    "Give one of them another name.",
                    at_name=True,
                )
