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


@pytest.mark.parametrize(
    ("reason", "help_"),
    [
        ("algorithm hash mismatch: expected ab, got cd", "give their digest"),
        ("it is at 127.0.0.1, which is of this machine or of the network's own services", "AGENT_SOURCE_NETWORKS"),
        ("failed to download and decrypt algorithm: CERTIFICATE_VERIFY_FAILED", "SSL_CERT_FILE"),
        ("failed to download and decrypt dataset iris: failed to retrieve decryption key from KBS", "broker"),
        ("failed to download and decrypt dataset iris: the server answered with status 404", "is there"),
    ],
)  # fmt: skip
def test_what_was_not_fetched_leads_to_what_is_in_the_way(reason: str, help_: str) -> None:
    assert help_ in (fix_of(reason) or "")


def test_what_is_not_known_is_not_guessed() -> None:
    assert fix_of("algorithm execution error: exit status 1", "no such column") is None
