"""Each fault of the table has a test that pins it, and the table says which."""

from __future__ import annotations

import ast
from textwrap import dedent

from tests.faults.matrix import FAULTS, PAGE, UNTESTED, markers_in, pinned, rows, with_tests

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_has_every_fault_once_and_in_order() -> None:
    assert [row.number for row in rows(TEXT)] == list(FAULTS)


def test_each_fault_is_pinned_or_says_why_it_is_not() -> None:
    tests = pinned()
    unpinned = {row.number for row in rows(TEXT) if row.number not in tests}
    excused = {row.number for row in rows(TEXT) if row.tests.startswith(UNTESTED)}
    assert unpinned == excused


def test_no_marker_has_a_number_that_the_table_lacks() -> None:
    assert set(pinned()) <= set(FAULTS)


def test_the_table_is_what_make_generate_writes() -> None:
    assert with_tests(TEXT, pinned()) == TEXT


def test_a_marker_counts_at_a_test_its_class_and_its_file() -> None:
    module = ast.parse(
        dedent("""
            pytestmark = pytest.mark.fault(1)

            @pytest.mark.fault(2, "13b")
            class TestDelete:
                @pytest.mark.parametrize("x", [1])
                @pytest.mark.fault(3)
                def test_of_one(self, x): ...

            @pytest.mark.other(9)
            def test_alone(): ...

            @pytest.mark.fault(4)
            def helper(): ...
        """)
    )
    of_one = "TestDelete::test_of_one"
    assert list(markers_in(module)) == [
        *((number, of_one) for number in ("1", "2", "13b", "3")),
        ("1", "test_alone"),
    ]
