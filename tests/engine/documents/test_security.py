"""Every claim of the page about security names tests that are there."""

from __future__ import annotations

import re
from typing import Final

from tests.engine.documents.checkout import ROOT

PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_each_claim_is_pinned_by_tests_that_exist() -> None:
    claims = [line for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) >= len(claims) > 20
    absent = [
        f"{file}::{test}"
        for file, test in named
        if f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert absent == []


def test_each_line_below_pinned_by_names_a_test() -> None:
    tables = PAGE.split("| claim | by | pinned by |\n|---|---|---|\n")[1:]
    lines = [line for table in tables for line in table.partition("\n\n")[0].splitlines()]
    assert [line for line in lines if "::test_" not in line] == []
