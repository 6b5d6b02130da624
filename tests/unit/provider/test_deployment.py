"""One deployment for all that the engine configures, whatever the number of its threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from prism_iac.lifecycle import Session
from prism_iac.provider import _deployment, dynamic
from prism_iac.provider._deployment import deployment_for

AT_ONCE = 64


class Config(dict[str, Any]):
    """What the engine hands to a provider."""


@pytest.fixture(autouse=True)
def nothing_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that has just begun, whose engine does not end."""
    monkeypatch.setattr(_deployment, "_deployments", {})
    monkeypatch.setattr(_deployment, "end_with_engine", lambda: None)


def at_once(act: Any) -> list[Any]:
    """What as many threads get that begin together."""
    start = threading.Barrier(AT_ONCE)

    def begin(number: int) -> Any:
        start.wait()
        return act(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(begin, range(AT_ONCE)))


@pytest.mark.fault(39)
def test_two_kinds_on_64_threads_share_one_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Session] = []
    initialise = Session.__init__

    def count(self: Session, *arguments: Any) -> None:
        made.append(self)
        initialise(self, *arguments)

    monkeypatch.setattr(Session, "__init__", count)
    config = Config({"prism:dataFolder": str(tmp_path), "prism:workspace": "research"})
    kinds = (dynamic.ComputationProvider, dynamic.AssetProvider)

    def configure(number: int) -> Any:
        provider = kinds[number % 2]()
        provider.configure(type("Request", (), {"config": config})())
        return provider

    providers = at_once(configure)
    assert len(made) == 1
    assert {id(provider._service.service.deployment) for provider in providers} == {
        id(deployment_for(config))
    }
