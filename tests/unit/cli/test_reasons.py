"""Failures as the agent tells them lead to what helps."""

from __future__ import annotations

import pytest

from prism_iac.agent.server._runner import _problem
from prism_iac.cli.diagnose._reasons import fix_of


@pytest.mark.parametrize(
    ("outcome", "help_"),
    [({"signal": 9}, "memory_mib"), ({"too_many_processes": 256}, "`processes`")],
)
def test_a_limit_of_the_vm_is_named(outcome: dict[str, int], help_: str) -> None:
    assert help_ in (fix_of(f"algorithm execution error: {_problem(outcome)}") or "")


def test_the_time_limit_is_named() -> None:
    reason = "algorithm execution error: stopped after 3600 seconds, the time limit of a run"
    assert "`run_time`" in (fix_of(reason) or "")


def test_what_is_not_known_is_not_guessed() -> None:
    assert fix_of("algorithm execution error: exit status 1", "no such column") is None
