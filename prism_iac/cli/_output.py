"""Results go to standard output, messages to standard error; foreign text is made safe to show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from prism_iac.cli._emit import emit, say

__all__ = [
    "AsJson",
    "emit",
    "emit_facts",
    "emit_json",
    "emit_table",
    "moment",
    "printable",
    "say",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]

_ALL_COLUMNS: Final = 1 << 15
"""Wider than any table: only a terminal has an edge to wrap at."""

_COLOURS: Final = {
    "completed": "green",
    "online": "green",
    "ok": "green",
    "pass": "green",
    "running": "yellow",
    "creating": "yellow",
    "starting": "yellow",
    "skipped": "yellow",
    "warn": "yellow",
    "not asked": "yellow",
    "failed": "red",
    "fail": "red",
    "error": "red",
    "offline": "red",
    "cancelled": "red",
    "looser": "red",
}
"""The colour of a word where colours are shown."""


def emit_json(document: Any) -> None:
    """Write one JSON document."""
    emit(json.dumps(document, indent=2, ensure_ascii=False))


def emit_table(heads: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> None:
    """Write a table; words that have a colour get it on a terminal, unless NO_COLOR is set."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell := _cell(value), style=_COLOURS.get(cell, "")) for value in row))
    _emit_rich(table)


def emit_facts(facts: Iterable[tuple[str, str | int | None]]) -> None:
    """Write names and values, one a line; those without a value are left out."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value not in (None, ""):
            table.add_row(Text(name, style="bold"), Text(cell := _cell(value), style=_COLOURS.get(cell, "")))
    _emit_rich(table)


def printable(text: str, *, keep_lines: bool = False) -> str:
    """A foreign text without anything that a terminal would obey."""
    return "".join(
        character if character.isprintable() or (keep_lines and character == "\n") else "\ufffd"
        for character in text
    )


def moment(value: datetime | None) -> str | None:
    """A time as RFC 3339 in UTC, to the second; None when there is none."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cell(value: str | int | None) -> str:
    return "-" if value in (None, "") else printable(str(value))


def _emit_rich(table: Any) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = _ALL_COLUMNS
    with console.capture() as captured:
        console.print(table)
    emit("\n".join(line.rstrip() for line in captured.get().splitlines()))
