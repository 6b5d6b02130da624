"""The CSV layout: one computation a line, lists joined by semicolons (prism-rest.md D58; ours, not the platform's).

RFC 4180 quoting, UTF-8, a header; lists of datasets are in step. Columns come in any order and case.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TextIO

from prism_iac.errors import Finding
from prism_iac.exchange._definition import Definition
from prism_iac.exchange._flat import flat_json, parts_of_kind
from prism_iac.exchange._row import Place, Row, parse_row
from prism_iac.model import AssetKind, Location, nearest, shown

__all__ = ["COLUMNS", "csv_row", "read_csv"]

COLUMNS: Final = (
    "id",
    "name",
    "description",
    "owner",
    "start_time",
    "dataset_providers",
    "dataset_hashes",
    "algorithm_provider",
    "algorithm_hash",
    "result_consumers",
    "log_level",
    "cert_file",
    "server_key",
    "server_ca_file",
    "client_ca_file",
    "attested_tls",
    "backend_id",
)
_REQUIRED: Final = ("name", "description")
_PLAIN: Final = ("id", "name", "description", "owner", "start_time", "backend_id")
_AGENT: Final = ("log_level", "cert_file", "server_key", "server_ca_file", "client_ca_file", "attested_tls")
_COLUMN_OF: Final = {
    "datasets.provider": "dataset_providers",
    "datasets.hash": "dataset_hashes",
    "algorithm.provider": "algorithm_provider",
    "algorithm.hash": "algorithm_hash",
    **{f"agent_config.{name}": name for name in _AGENT},
}
_SEPARATOR: Final = ";"


class _Lines:
    """The lines of a file, of which those of the present record are kept."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.read = 0
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.read += 1
            self.record.append(line)
            yield line

    def next_record(self) -> int:
        """Forget the record before; gives the line that the next one begins at."""
        self.record = []
        return self.read + 1


def read_csv(file: TextIO, name: str) -> Iterator[Row]:
    """The rows of a CSV file; what is no CSV ends the walk.

    Args:
        file: Opened for text with `newline=""`.
        name: What the user calls it.
    """
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        heads = [head.strip().lower().removeprefix("\ufeff") for head in next(reader, [])]
        row = _about_heads(heads, name)
        if row is not None:
            yield row
            if row.errors:
                return
        line = lines.next_record()
        number = 0
        for cells in reader:
            if cells:
                number += 1
                yield _row(number, heads, cells, name, (line, "".join(lines.record)))
            line = lines.next_record()
    except (csv.Error, UnicodeDecodeError) as error:
        message = "is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"is no CSV: {error}"
        fix = "Correct it here; what follows is not read."
        problem = Finding(name, line, 1, "", message, fix)
        yield Row(0, None, (problem,), (), lambda *_: problem)


def _about_heads(heads: list[str], name: str) -> Row | None:
    """What is wrong with the header; None when nothing is."""
    errors = [
        Finding(name, 1, 1, column, "the column is missing", "Name it in the first line.")
        for column in _REQUIRED
        if column not in heads
    ]
    warnings = []
    for number, head in enumerate(heads):
        column = sum(len(before) + 1 for before in heads[:number]) + 1
        if head in heads[:number]:
            errors.append(Finding(name, 1, column, head, "the column is there twice", "Remove one of them."))
        elif head not in COLUMNS:
            fix = nearest(head, COLUMNS)
            warnings.append(Finding(name, 1, column, "", f"the column {shown(head)} is not known", fix))
    if not errors and not warnings:
        return None
    return Row(0, None, tuple(errors), tuple(warnings), lambda *_: errors[0])


def _row(number: int, heads: list[str], cells: list[str], name: str, text: tuple[int, str]) -> Row:
    first_line, record = text
    values = dict(zip(heads, cells, strict=False))

    def place(column: str) -> Place:
        return _cell_place(record, heads.index(column), first_line) if column in heads else (first_line, 1)

    problems = []
    if len(cells) != len(heads):
        message = f"has {len(cells)} cells, the header has {len(heads)}"
        fix = "Put cells with a comma in double quotes; leave no cell out."
        problems.append(Finding(name, first_line, 1, f"row {number}", message, fix))
    providers, hashes = _items(values, "dataset_providers"), _items(values, "dataset_hashes")
    if hashes and len(hashes) != len(providers):
        message = f"has {len(hashes)} entries, dataset_providers has {len(providers)}"
        fix = "Give one for each dataset, in the same order; an empty one between semicolons is fine."
        where = place("dataset_hashes")
        problems.append(Finding(name, *where, f"row {number}: dataset_hashes", message, fix))
    return parse_row(
        number,
        _as_flat(values, providers, hashes),
        file=name,
        where=lambda location, at_name: place(_column_of(location)),  # noqa: ARG005  # the shape of Where
        path_of=lambda location: (
            f"row {number}: {column}" if (column := _column_of(location)) else f"row {number}"
        ),
        problems=tuple(problems),
    )


def _as_flat(values: Mapping[str, str], providers: list[str], hashes: list[str]) -> dict[str, Any]:
    algorithm = {"provider": values.get("algorithm_provider", ""), "hash": values.get("algorithm_hash", "")}
    agent = {name: values[name] for name in _AGENT if values.get(name, "").strip()}
    pairs = zip(providers, (*hashes, *[""] * (len(providers) - len(hashes))), strict=False)
    return {
        **{name: values[name] for name in _PLAIN if name in values},
        "datasets": [{"provider": provider, "hash": digest} for provider, digest in pairs],
        "algorithm": algorithm if any(text.strip() for text in algorithm.values()) else None,
        "result_consumers": _items(values, "result_consumers"),
        "agent_config": {name: text.strip() for name, text in agent.items()},
    }


def _items(values: Mapping[str, str], column: str) -> list[str]:
    text = values.get(column, "").strip()
    return [item.strip() for item in text.split(_SEPARATOR)] if text else []


def _column_of(location: Location) -> str:
    names = [part for part in location if isinstance(part, str)]
    return _COLUMN_OF.get(".".join(names[:2]), names[0] if names else "")


def _cell_place(record: str, number: int, first_line: int) -> Place:
    """Line and column of a cell of a record that may go over several lines."""
    is_quoted, cell, end = False, 0, len(record)
    for at, character in enumerate(record):
        if cell == number:
            end = at
            break
        if character == '"':
            is_quoted = not is_quoted
        elif character == "," and not is_quoted:
            cell += 1
    before = record[:end]
    return first_line + before.count("\n"), end - (before.rfind("\n") + 1) + 1


def csv_row(definition: Definition, *, with_keys: bool) -> list[str]:
    """A definition as the cells of a line, in the order of `COLUMNS`."""
    flat = flat_json(definition, with_keys=with_keys)
    datasets = parts_of_kind(definition, AssetKind.DATASET)
    algorithm = flat["algorithm"] or {"provider": "", "hash": ""}
    cells: dict[str, Iterable[str] | str] = {
        **{name: flat[name] for name in _PLAIN},
        "dataset_providers": [user for user, _ in datasets],
        "dataset_hashes": [digest for _, digest in datasets],
        "algorithm_provider": algorithm["provider"],
        "algorithm_hash": algorithm["hash"],
        "result_consumers": flat["result_consumers"],
        **{name: str(flat["agent_config"][name]) for name in _AGENT},
        "attested_tls": str(flat["agent_config"]["attested_tls"]).lower(),
    }
    return [cell if isinstance(cell := cells[name], str) else _SEPARATOR.join(cell) for name in COLUMNS]
