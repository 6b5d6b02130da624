"""Runs against the real backend, with a real agent and real uploads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from prism_iac.errors import Conflict, InvalidInput, PartialResult
from prism_iac.lifecycle import Live
from prism_iac.model import AgentState, ComputationStatus
from prism_iac.model.resources import ComputationRun, KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.contract.lifecycle.stage import ADA, Stage, eventually


@pytest.fixture
def started(stage: Stage, runnable: Live[Any], vm: Live[Any]) -> Iterator[Live[Any]]:
    """A run that waits for its uploads."""
    run = stage.create(
        "ComputationRun", "run", computation=runnable.id, vm=vm.id, wait=False, stop_on_delete=True
    )
    yield run
    stage.delete(run)


def runs(stage: Stage) -> int:
    return len(list(stage.workspace.computations.runs()))


def test_a_repeated_create_finds_the_first_run(stage: Stage, runnable: Live[Any], started: Live[Any]) -> None:
    stage.begin_deployment()
    again = stage.create("ComputationRun", "run", computation=runnable.id, vm=started.state.vm, wait=False)
    assert again.id == started.id
    assert runs(stage) == 1


def test_the_result_is_the_one_that_the_run_tells(
    stage: Stage, started: Live[Any], numbers: Path, addition: Path, tmp_path: Path
) -> None:
    stage.upload(started, addition, numbers)
    ended = stage.update(started, wait=True)
    assert ended.state.status is ComputationStatus.COMPLETED
    archive = stage.fetch_result(ended, tmp_path / "result.zip")
    assert hashlib.sha3_256(archive.read_bytes()).hexdigest() == ended.state.result_sha3_256
    assert ZipFile(archive).read("sum.txt") == b"42"


def test_the_steps_are_kept_oldest_first(
    stage: Stage, started: Live[Any], numbers: Path, addition: Path
) -> None:
    stage.upload(started, addition, numbers)
    events = [(e.event_type, e.status) for e in stage.update(started, wait=True).state.events]
    assert events == [
        ("ReceivingAlgorithm", "InProgress"),
        ("ReceivingData", "InProgress"),
        ("Running", "Starting"),
        ("Running", "InProgress"),
        ("Running", "Completed"),
        ("ConsumingResults", "Ready"),
    ]


def test_the_manifest_that_ran_is_told(stage: Stage, runnable: Live[Any], started: Live[Any]) -> None:
    seen = stage.read(runnable)
    assert seen is not None
    assert started.state.manifest_sha3_256 == seen.state.manifest_sha3_256


def test_a_create_that_waits_returns_at_the_end(
    stage: Stage, runnable: Live[Any], vm: Live[Any], numbers: Path, addition: Path
) -> None:
    def participate() -> None:
        computations = stage.workspace.computations
        run = eventually(lambda: computations.latest_run(runnable.id))
        state = ComputationRun.parse(
            {"workspace": "w", "computation": "c", "vm": "v", "agent_address": run.agent_address}
        )
        stage.upload(Live(run.id, state), addition, numbers)

    uploads = threading.Thread(target=participate)
    uploads.start()
    run = stage.create("ComputationRun", "run", computation=runnable.id, vm=vm.id)
    uploads.join()
    assert run.state.status is ComputationStatus.COMPLETED
    assert "ConsumingResults Ready" in stage.lines


class TestAFailingAlgorithm:
    @pytest.fixture
    def addition(self, tmp_path: Path) -> Path:
        path = tmp_path / "addition.py"
        path.write_text("import sys\nprint('the third number is no number', file=sys.stderr)\nsys.exit(3)\n")
        return path

    @pytest.mark.fault(11)
    def test_ends_the_update_with_its_last_words(
        self, stage: Stage, started: Live[Any], numbers: Path, addition: Path
    ) -> None:
        stage.upload(started, addition, numbers)
        with pytest.raises(PartialResult) as failure:
            stage.update(started, wait=True)
        assert "run #1 failed" in failure.value.message
        assert "the third number is no number" in failure.value.message
        assert failure.value.id == started.id

    @pytest.mark.fault(11)
    def test_is_not_run_again_by_a_repeat(
        self, stage: Stage, runnable: Live[Any], started: Live[Any], numbers: Path, addition: Path
    ) -> None:
        stage.upload(started, addition, numbers)
        with pytest.raises(PartialResult):
            stage.update(started, wait=True)
        with pytest.raises(PartialResult, match="run #1 failed"):
            stage.create("ComputationRun", "run", computation=runnable.id, vm=started.state.vm, wait=False)
        assert runs(stage) == 1


def test_other_triggers_start_another_run(
    stage: Stage, runnable: Live[Any], started: Live[Any], numbers: Path, addition: Path
) -> None:
    stage.upload(started, addition, numbers)
    ended = stage.update(started, wait=True)
    stage.fetch_result(ended, numbers.with_name("result.zip"))
    cvms = stage.workspace.cvms
    eventually(lambda: cvms.get(started.state.vm).state is AgentState.COMPLETE)
    other = stage.create(
        "ComputationRun",
        "run",
        generation=1,
        computation=runnable.id,
        vm=started.state.vm,
        triggers={"version": "2"},
        wait=False,
        stop_on_delete=True,
    )
    assert other.state.number == 2
    stage.delete(other)


def test_one_that_has_not_ended_in_time_keeps_its_id(stage: Stage, started: Live[Any]) -> None:
    with pytest.raises(PartialResult, match="has not ended after 0s") as late:
        stage.update(started, wait=True, timeout="0s")
    assert late.value.id == started.id


def test_what_is_missing_is_said_all_at_once(stage: Stage, numbers: Path, vm: Live[Any]) -> None:
    computation = stage.computation(datasets=[stage.dataset(numbers).id], result_consumers=[ADA])
    with pytest.raises(InvalidInput) as refusal:
        stage.create("ComputationRun", "run", computation=computation.id, vm=vm.id)
    text = str(refusal.value)
    assert f"{ADA} has not registered a public key" in text
    assert "algorithm" in text
    assert runs(stage) == 0


@pytest.mark.fault(22)
def test_a_delete_of_one_that_is_going_on_is_refused(stage: Stage, started: Live[Any]) -> None:
    with pytest.raises(Conflict, match="run #1 is going on"):
        stage.delete(stage.update(started, stop_on_delete=False))


@pytest.mark.fault(22)
def test_a_delete_stops_it_when_told_so(stage: Stage, started: Live[Any]) -> None:
    stage.delete(started)
    seen = stage.read(started)
    assert seen is not None
    assert seen.state.status is ComputationStatus.CANCELLED


@pytest.mark.fault(33)
def test_a_refresh_keeps_what_a_run_has_told(
    stage: Stage, runnable: Live[Any], started: Live[Any], numbers: Path, addition: Path
) -> None:
    stage.upload(started, addition, numbers)
    ended = stage.update(started, wait=True)
    # The manifest of the computation is another one from here on.
    stage.update(runnable, name="total")
    seen = stage.read(ended)
    assert seen is not None
    assert seen.state.properties() == ended.state.properties()
    assert None not in (seen.state.manifest_sha3_256, seen.state.result_sha3_256, seen.state.end_time)


@pytest.mark.fault(73)
def test_a_run_goes_on_with_the_keys_that_it_began_with(
    stage: Stage, runnable: Live[Any], started: Live[Any], numbers: Path, addition: Path
) -> None:
    fresh = generate_key_pair(KeyAlgorithm.ED25519)
    stage.create("PublicKey", "rotated", computation=runnable.id, user=ADA, key=fresh.public_pem.decode())
    # Ada uploads, and fetches the result, with the key that the manifest of this run has.
    stage.upload(started, addition, numbers)
    ended = stage.update(started, wait=True)
    archive = stage.fetch_result(ended, numbers.with_name("result.zip"))
    assert ZipFile(archive).read("sum.txt") == b"42"
    assert ended.state.manifest_sha3_256 == started.state.manifest_sha3_256
    seen = stage.read(runnable)
    assert seen is not None
    assert seen.state.manifest_sha3_256 != started.state.manifest_sha3_256
