from __future__ import annotations

import pytest

from prism_iac.model import (
    COMPUTATION_ROLES,
    UNKNOWN,
    Action,
    ComputationStatus,
    Unknown,
    contains_unknown,
    role_name,
)


@pytest.mark.parametrize("name", COMPUTATION_ROLES)
def test_a_built_in_role_is_known_by_its_actions(name: str) -> None:
    assert role_name(COMPUTATION_ROLES[name]) == name


def test_another_set_of_actions_is_named_after_them() -> None:
    actions = frozenset({Action.VIEW, Action.RUN, Action.EDIT})
    assert role_name(actions) == "edit+run"


@pytest.mark.parametrize("name", COMPUTATION_ROLES)
def test_every_role_lets_its_members_look(name: str) -> None:
    assert Action.VIEW in COMPUTATION_ROLES[name]


def test_a_run_ends_in_three_ways() -> None:
    assert {status for status in ComputationStatus if status.is_final} == {"completed", "failed", "cancelled"}


@pytest.mark.parametrize(
    ("value", "is_there"),
    [
        (UNKNOWN, True),
        ({"a": [1, {"b": UNKNOWN}]}, True),
        ((1, (UNKNOWN,)), True),
        ({"a": [1, None]}, False),
        ("UNKNOWN", False),
    ],
)
def test_an_unknown_value_is_found_however_deep(value: object, is_there: bool) -> None:  # noqa: FBT001  # parametrized
    assert contains_unknown(value) is is_there


def test_the_unknown_value_prints_as_what_it_is_and_equals_itself_alone() -> None:
    assert repr(UNKNOWN) == "UNKNOWN"
    assert Unknown() != UNKNOWN
