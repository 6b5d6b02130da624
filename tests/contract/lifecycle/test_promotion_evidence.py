"""What the real backend, a real agent and real uploads leave in a state as evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import Conflict
from prism_iac.lifecycle import Live
from prism_iac.model import Manifest
from prism_iac.promotion._evidence import find_evidence
from prism_iac.spec.promotions import Evidence
from tests.contract.lifecycle.stage import Stage


def test_a_manifest_is_proven_once_its_run_has_completed_and_was_seen(
    stage: Stage, runnable: Live[Any], vm: Live[Any], numbers: Path, addition: Path
) -> None:
    pinned = Manifest.from_json(stage.workspace.computations.manifest(runnable.id)).portable().digest().hex()

    def evidence(computation: Live[Any], run: Live[Any]) -> Evidence:
        state = [
            {"type": f"dynamic/prism:{live.state.kind}", "id": live.id, "outputs": live.state.properties()}
            for live in (computation, run)
        ]
        _, found = find_evidence(
            state, "sum", pinned, environment="dev", now=datetime.now(UTC), max_age=timedelta(hours=1)
        )
        return found

    run = stage.create("ComputationRun", "run", computation=runnable.id, vm=vm.id, wait=False)
    with pytest.raises(Conflict, match="the lock pins another manifest than the state has"):
        evidence(runnable, run)  # which was recorded before the keys were registered
    refreshed = stage.read(runnable)
    assert refreshed is not None
    with pytest.raises(Conflict, match="run #1 is running as far as the state knows"):
        evidence(refreshed, run)
    stage.upload(run, addition, numbers)
    ended = stage.update(run, wait=True)
    found = evidence(refreshed, ended)
    assert (found.run, found.number) == (run.id, 1)
    assert found.manifest_sha3_256 == refreshed.state.manifest_sha3_256
    assert found.result_sha3_256 == ended.state.result_sha3_256 is not None
