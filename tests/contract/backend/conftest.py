from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prism_iac.backend.store import Database
from tests.contract.backend.fake_agent import FakeAgent
from tests.contract.backend.live import QUICK, Live
from tests.unit.backend.bridge import LoopThread
from tests.unit.backend.fixtures import (
    ca_folder,
    database,
    loop_thread,
    plain_logs,
    postgres_database,
    postgres_url,
    snp_report,
    sqlite_template,
)

__all__ = [
    "ca_folder",
    "database",
    "loop_thread",
    "plain_logs",
    "postgres_database",
    "postgres_url",
    "snp_report",
    "sqlite_template",
]


@pytest.fixture
def live(database: Database, tmp_path: Path, loop_thread: LoopThread) -> Iterator[Live]:
    """Both sides of an instance, with short times on the control stream."""
    live = Live(database, tmp_path, loop_thread, QUICK)
    live.start()
    yield live
    live.stop()


@pytest.fixture
def connect(live: Live) -> Iterator[Callable[..., FakeAgent]]:
    """Connects an agent to a CVM; all are disconnected at the end."""
    agents: list[FakeAgent] = []

    def connect(cvm: str, **options: Any) -> FakeAgent:
        agents.append(live.agent(cvm, **options))
        return agents[-1]

    yield connect
    for agent in agents:
        agent.close()
