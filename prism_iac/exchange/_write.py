"""Writes computations in a layout, one at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, TextIO

from prism_iac.exchange._bundle import bundle_json
from prism_iac.exchange._csv import COLUMNS, csv_row
from prism_iac.exchange._definition import Definition
from prism_iac.exchange._flat import flat_json
from prism_iac.exchange._layouts import Layout

__all__ = ["write_definitions"]


def write_definitions(
    definitions: Iterable[Definition], layout: Layout, file: TextIO, *, with_keys: bool = False
) -> int:
    """Write definitions in their canonical spelling; gives how many.

    Args:
        definitions: In the order to write.
        layout: Not that of a stack file, which `stack_file` writes. Bundles are an array; one flat definition is an object, several are an array.
        file: Opened for text with `newline=""`.
        with_keys: Write the private keys of agents, too (D59).
    """
    if layout is Layout.CSV:
        return _write_csv(definitions, file, with_keys=with_keys)
    document = bundle_json if layout is Layout.BUNDLE else flat_json
    return _write_json(
        definitions,
        file,
        lambda definition: document(definition, with_keys=with_keys),
        one_is_bare=layout is Layout.FLAT,
    )


def _write_csv(definitions: Iterable[Definition], file: TextIO, *, with_keys: bool) -> int:
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for count, definition in enumerate(definitions, 1):  # noqa: B007  # the last one is the answer
        writer.writerow(csv_row(definition, with_keys=with_keys))
    return count


def _write_json(
    definitions: Iterable[Definition],
    file: TextIO,
    document: Callable[[Definition], Any],
    *,
    one_is_bare: bool,
) -> int:
    rest: Iterator[Definition] = iter(definitions)
    first = list(_take(rest, 2))
    if one_is_bare and len(first) == 1:
        file.write(_text(document(first[0])) + "\n")
        return 1
    count = 0
    for count, definition in enumerate(chain(first, rest), 1):
        file.write("[\n" if count == 1 else ",\n")
        file.write("  " + _text(document(definition)).replace("\n", "\n  "))
    file.write("\n]\n" if count else "[]\n")
    return count


def _take(items: Iterator[Definition], count: int) -> Iterator[Definition]:
    for _ in range(count):
        item = next(items, None)
        if item is not None:
            yield item


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
