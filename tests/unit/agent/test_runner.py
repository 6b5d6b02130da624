from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from prism_iac.agent.server._algorithm import Job
from prism_iac.agent.server._runner import Runner
from prism_iac.agent.server._settings import RunLimits
from prism_iac.agent.server._workspace import Workspace
from tests.contract.agent.control import PATIENCE_SECONDS
from tests.contract.agent.vm import eventually, processes_in

JOB = Job("bin", (), has_requirements=False)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Runs a script with two processes, one of which leaves the session."""
    (tmp_path / "work").mkdir()
    workspace = Workspace(tmp_path / "work", tmp_path)
    workspace.prepare()
    workspace.algorithm.write_text("#!/bin/sh\nsetsid sleep 7785 & sleep 7786\n")
    workspace.algorithm.chmod(0o700)
    return Runner(workspace, RunLimits(), os.environ)


@pytest.mark.parametrize("turns", range(6))
def test_a_run_that_is_cancelled_while_it_starts_ends_with_all_its_processes(
    turns: int, runner: Runner, tmp_path: Path
) -> None:
    async def start_and_cancel() -> None:
        run = asyncio.create_task(runner.run(JOB, lambda: None))
        while not processes_in(tmp_path):  # noqa: ASYNC110  # a process tells nobody that it is there
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        # The loop stands still meanwhile, as it does on a machine that has too much to do.
        eventually(lambda: len(processes_in(tmp_path, "sleep\000778")) == 2)
        run.cancel()
        ended, _ = await asyncio.wait([run], timeout=PATIENCE_SECONDS)
        assert ended
        assert run.cancelled()

    asyncio.run(start_and_cancel())
    assert processes_in(tmp_path) == []
