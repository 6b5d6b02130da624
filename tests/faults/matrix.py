"""The table of faults in `docs/reliability.md`, and the tests that pin each of them.

A test says which faults it pins: `@pytest.mark.fault(21)`, of the function, its class or, as `pytestmark`, its
file. `python -m tests.faults.matrix` writes the last column of the table from that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["FAULTS", "PAGE", "Row", "markers_in", "pinned", "rows", "with_tests"]

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reliability.md"
FAULTS: Final = (*map(str, range(1, 14)), "13b", *map(str, range(14, 76)))

UNTESTED: Final = "no test here: "
"""How the last column begins where nothing pins a fault; the reason follows."""

_ROW: Final = re.compile(
    r"^\| (?P<number>\d+b?) \| (?P<fault>[^|]+) \| (?P<answer>[^|]+) \| (?P<tests>[^|]*) \|$"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    number: str
    fault: str
    answer: str
    tests: str

    def __str__(self) -> str:
        return f"| {self.number} | {self.fault} | {self.answer} | {self.tests} |"


def rows(page: str) -> list[Row]:
    """The lines of the table in a page."""
    section = page.partition("\n## Faults\n")[2].partition("\n## ")[0]
    found = map(_ROW.match, section.splitlines())
    return [Row(**match.groupdict()) for match in found if match]


def pinned() -> dict[str, list[str]]:
    """The tests of each fault, `path::name`, by its number."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.fault(" in text:
            for number, test in markers_in(ast.parse(text)):
                found.setdefault(number, []).append(f"{path.relative_to(ROOT)}::{test}")
    return found


def markers_in(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Each number with the name of a test that pins it."""
    yield from _within(module.body, (), _numbers(_pytestmark(module)))


def with_tests(page: str, tests: Mapping[str, list[str]]) -> str:
    """The page with the last column as the markers say; a fault without a test keeps its reason."""
    for row in rows(page):
        if named := tests.get(row.number):
            page = page.replace(
                f"{row}\n",
                f"{Row(row.number, row.fault, row.answer, ', '.join(f'`{test}`' for test in named))}\n",
            )
    return page


def _within(body: list[ast.stmt], names: tuple[str, ...], above: list[str]) -> Iterator[tuple[str, str]]:
    for node in body:
        match node:
            case ast.ClassDef(name=name) if name.startswith("Test"):
                yield from _within(node.body, (*names, name), [*above, *_numbers(node.decorator_list)])
            case ast.FunctionDef(name=name) if name.startswith("test_"):
                for number in dict.fromkeys([*above, *_numbers(node.decorator_list)]):
                    yield number, "::".join((*names, name))


def _pytestmark(module: ast.Module) -> list[ast.expr]:
    return [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign) and "pytestmark" in map(ast.unparse, node.targets)
    ]


def _numbers(marks: list[ast.expr]) -> list[str]:
    return [
        str(ast.literal_eval(number))
        for mark in marks
        for call in ast.walk(mark)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.fault"
        for number in call.args
    ]


def main() -> None:
    """Write the last column anew."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_tests(page, pinned()), encoding="utf-8")


if __name__ == "__main__":
    main()
