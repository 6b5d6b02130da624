from __future__ import annotations

import pytest

from prism_iac.toolchain import Version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0\n", (3, 259, 0)),
        ("3.259.1", (3, 259, 1)),
        ("v3.260.0-alpha.1+dirty", (3, 260, 0)),
        ("", None),
        ("unknown", None),
        ("v3.259", None),
    ],
)
def test_a_version_is_the_three_numbers_that_a_text_begins_with(
    text: str, version: tuple[int, ...] | None
) -> None:
    assert Version.parse(text) == version


@pytest.mark.parametrize(
    ("text", "serves"),
    [("3.215.9", False), ("3.216.0", True), ("3.1000.0", True), ("4.0.0", False), ("2.300.0", False)],
)
def test_versions_serve_from_the_first_that_shows_drift_to_the_next_major(text: str, serves: bool) -> None:  # noqa: FBT001  # a column of the table
    version = Version.parse(text)
    assert version is not None
    assert version.serves is serves


def test_a_version_is_written_as_three_numbers() -> None:
    assert str(Version(3, 259, 0)) == "3.259.0"
