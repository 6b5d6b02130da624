"""Times to live, as Go writes durations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.hypervisor.manager._duration import parse_go_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        ("1h0m0.5s", 3600.5),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("30m1h", 5400.0),
        ("250ms", 0.25),
        ("1500us", 0.0015),
        ("1500\N{MICRO SIGN}s", 0.0015),
        ("1500\N{GREEK SMALL LETTER MU}s", 0.0015),
        ("+1m", 60.0),
        ("2000ns", 0.000002),
        ("2562047h47m16s", 9223372036.0),
    ],
)
def test_what_go_reads_is_read(text: str, seconds: float) -> None:
    assert parse_go_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", ".s", "1d", "1h 5m", " 1h", "1h ", "1H", "++1s", "1h+1s", "1e3s", "1..5s", "soon", "2562047h47m17s", "\N{ARABIC-INDIC DIGIT ONE}s"],
)  # fmt: skip
def test_what_it_does_not_is_refused_in_its_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^time: invalid duration ") as refusal:
        parse_go_duration(text)
    assert str(refusal.value) == f'time: invalid duration "{text}"'


@pytest.mark.parametrize("text", ["0s", "0h0m", "-1h", "-0s"])
def test_a_vm_that_would_end_at_once_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_go_duration(text)


@given(st.integers(1, 365 * 24 * 3600))
def test_what_our_client_sends_is_read_as_it_is_meant(seconds: int) -> None:
    assert parse_go_duration(f"{seconds}s") == timedelta(seconds=seconds)
