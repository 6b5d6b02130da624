"""Every folder in `broken/` is a stack file with mistakes and all that is said about them.

After a change of wording, write the expectations anew with `UPDATE_EXPECTED=1 pytest
tests/unit/spec/test_broken.py` and review the difference.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prism_iac.spec import validate_stack
from tests.unit.spec.conftest import Workplace

CASES = sorted((Path(__file__).parent / "broken").iterdir())
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_findings_of_a_broken_stack_file_are_told_at_once(case: Path, workplace: Workplace) -> None:
    folder = workplace(case)
    findings = validate_stack(Path("stack.yaml"), environ={}, now=lambda: NOW)
    told = "".join(f"{finding}\n" for finding in findings).replace(str(folder), "FOLDER")
    expected = case / "expected.txt"
    if os.environ.get("UPDATE_EXPECTED"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")
    assert findings
    assert all(finding.fix for finding in findings), "a finding without a fix"
    assert all(finding.line and finding.column for finding in findings), "a finding without a place"


def test_there_are_enough_cases_to_be_worth_the_name() -> None:
    assert len(CASES) >= 40
