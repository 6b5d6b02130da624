"""An update of a resource whose inputs have not changed keeps all that its outputs tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prism_iac.lifecycle import HANDLERS, Live
from tests.contract.lifecycle.stage import ADA, EVE, Stage


@pytest.fixture
def everything(
    stage: Stage, runnable: Live[Any], vm: Live[Any], tmp_path: Path
) -> Iterator[dict[str, Live[Any]]]:
    """One resource of each kind, as a refresh sees it."""
    key = stage.keys[ADA].public_pem.decode()
    run = stage.create(
        "ComputationRun", "run", computation=runnable.id, vm=vm.id, wait=False, stop_on_delete=True
    )
    made = [
        runnable,
        vm,
        run,
        Live(runnable.state.datasets[0], _asset(stage, tmp_path)),
        stage.create("Participant", "eve", computation=runnable.id, user=EVE, actions=["view", "run"]),
        stage.create("PublicKey", "key", computation=runnable.id, user=ADA, key=key),
        stage.create("CertificateBundle", "tls", source="prism", vm=vm.id, mode="mtls"),
        stage.create("AttestationPolicy", "policy", path=str(tmp_path / "policy.json"), vm=vm.id),
    ]
    seen = [stage.read(live) for live in made]
    yield {live.state.kind: live for live in seen if live is not None}
    stage.delete(run)


def _asset(stage: Stage, folder: Path) -> Any:
    return stage.dataset(folder / "numbers.txt").state


@pytest.mark.fault(20)
def test_every_output_stays(stage: Stage, everything: dict[str, Live[Any]]) -> None:
    assert everything.keys() == HANDLERS.keys()
    for kind, live in everything.items():
        updated = stage.update(live)
        assert (kind, updated.id) == (kind, live.id)
        assert updated.state.properties() == live.state.properties()
