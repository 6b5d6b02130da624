"""The benchmark of the agent in its quick form, with our own client."""

from __future__ import annotations

import pytest

from benchmarks import agent


def test_an_agent_takes_and_gives_at_a_rate_and_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COCOS_BIN", raising=False)
    upload, result, memory = agent.measure(quick=True)
    assert upload.unit == result.unit == "MiB/s"
    assert min(upload.median, result.median) > 5.0
    assert memory.is_met
