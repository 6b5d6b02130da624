from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.model import UNKNOWN
from prism_iac.provider.native._difference import leaves_that_differ

VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3) | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("old", "new", "leaves"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": "update"}),
        ({}, {"a": {"b": 1}}, {"a": "add"}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a.c": "delete"}),
        ({"a": ["x", "y"]}, {"a": ["x", "z", "w"]}, {"a[1]": "update", "a[2]": "add"}),
        ({"a": {"b.c": 1}}, {"a": {"b.c": 2}}, {'a["b.c"]': "update"}),
        ({"a": 1}, {"a": UNKNOWN}, {"a": "update"}),
        ({"a": [1]}, {"a": UNKNOWN}, {"a": "update"}),
        ({"a": "text"}, {"a": ["t"]}, {"a": "update"}),
    ],
)
def test_leaves_are_named_as_the_engine_names_them(old: Any, new: Any, leaves: dict[str, str]) -> None:
    assert dict(leaves_that_differ(old, new)) == leaves


@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert not list(leaves_that_differ({"it": value}, {"it": value}))


@given(VALUES, VALUES)
def test_whatever_differs_is_told_and_told_the_other_way_round_too(old: Any, new: Any) -> None:
    there = dict(leaves_that_differ({"it": old}, {"it": new}))
    back = dict(leaves_that_differ({"it": new}, {"it": old}))
    opposite = {"add": "delete", "delete": "add", "update": "update"}
    assert {path: opposite[change] for path, change in there.items()} == back
    assert bool(there) == (_without_nothing(old) != _without_nothing(new))


def _without_nothing(value: Any) -> Any:
    """A mapping's absent entry and one without a value are one to the engine."""
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        trimmed = [_without_nothing(item) for item in value]
        while trimmed and trimmed[-1] is None:
            trimmed.pop()
        return trimmed
    return value
