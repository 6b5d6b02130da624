"""The life of a computation against the real backend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import Conflict, PartialResult
from prism_iac.lifecycle import Live
from prism_iac.model import ComputationStatus
from prism_iac.model.resources import Computation
from tests.contract.lifecycle.stage import ADA, EVE, GRACE, Stage, roles_of


def count(stage: Stage) -> int:
    return len(list(stage.workspace.computations.list()))


@pytest.mark.fault(8)
def test_a_repeated_create_finds_the_first_computation(stage: Stage) -> None:
    first = stage.computation()
    stage.begin_deployment()
    assert stage.computation().id == first.id
    assert count(stage) == 1


def test_what_a_replacement_made_that_was_cut_off_is_taken_up_under_the_next_generation(stage: Stage) -> None:
    left = stage.create("Computation", "sum", generation=0, name="sum", description="adds numbers")
    stage.begin_deployment()
    taken = stage.create("Computation", "sum", generation=1, name="sum", description="adds numbers")
    assert taken.id == left.id
    stage.begin_deployment()
    with pytest.raises(Conflict, match="another computation"):
        stage.create("Computation", "sum", generation=0, name="sum", description="adds numbers")


@pytest.mark.fault(8)
def test_a_name_that_another_computation_has_is_refused(stage: Stage) -> None:
    stage.workspace.computations.create(name="sum", description="made by hand")
    with pytest.raises(Conflict, match='another computation of the workspace is named "sum"'):
        stage.computation()
    assert count(stage) == 1


def test_the_mark_stays_out_of_the_description(stage: Stage) -> None:
    computation = stage.computation()
    record = stage.workspace.computations.get(computation.id)
    assert record.description.startswith("adds numbers [prism-iac:")
    assert stage.drift(computation) == {}


def test_the_definition_gives_each_user_one_role(stage: Stage, numbers: Path, addition: Path) -> None:
    computation = stage.computation(
        algorithm=stage.algorithm(addition).id,
        datasets=[stage.dataset(numbers).id],
        result_consumers=[ADA, EVE],
    )
    roles = roles_of(stage, computation)
    assert roles[ADA] == "dataset_provider+result_consumer"
    assert roles[GRACE] == "algo_provider"
    assert roles[EVE] == "result_consumer"


def test_the_assets_are_linked(stage: Stage, runnable: Live[Any]) -> None:
    linked = {asset.file_name for asset in stage.workspace.assets.list() if runnable.id in asset.computations}
    assert linked == {"numbers.txt", "addition.py"}


def test_the_manifest_has_the_digest_that_is_told(stage: Stage, runnable: Live[Any]) -> None:
    seen = stage.read(runnable)
    assert seen is not None
    manifest = json.loads(seen.state.manifest)
    assert manifest["id"] == runnable.id
    assert all(item["user_key"] for item in (manifest["algorithm"], *manifest["datasets"]))
    assert seen.state.manifest_sha3_256 != runnable.state.manifest_sha3_256, "keys came after the create"


def test_a_removed_consumer_keeps_nothing(stage: Stage) -> None:
    computation = stage.computation(result_consumers=[ADA, EVE])
    stage.update(computation, result_consumers=[ADA])
    assert EVE not in roles_of(stage, computation)


def test_a_dataset_that_is_no_longer_named_is_unlinked(stage: Stage, numbers: Path) -> None:
    dataset = stage.dataset(numbers)
    computation = stage.computation(datasets=[dataset.id])
    stage.update(computation, datasets=[])
    assert stage.workspace.assets.get(dataset.id).computations == ()


class TestDrift:
    """What somebody changed behind the back is shown; nothing else is."""

    def test_of_the_description(self, stage: Stage) -> None:
        computation = stage.computation()
        record = stage.workspace.computations.get(computation.id)
        marked = record.description.replace("adds", "subtracts")
        stage.workspace.computations.update(computation.id, name="sum", description=marked)
        assert stage.drift(computation) == {"description": ("adds numbers", "subtracts numbers")}

    def test_of_the_name(self, stage: Stage) -> None:
        computation = stage.computation()
        record = stage.workspace.computations.get(computation.id)
        stage.workspace.computations.update(computation.id, name="total", description=record.description)
        assert stage.drift(computation) == {"name": ("sum", "total")}

    def test_of_a_consumer_who_was_added(self, stage: Stage) -> None:
        computation = stage.computation(result_consumers=[ADA])
        eve = stage.session.user(EVE, stage.workspace_name)
        (role,) = (r for r in stage.workspace.roles.list(computation.id) if r.name == "result_consumer")
        stage.workspace.roles.add_members(computation.id, role.id, [eve.id])
        assert stage.drift(computation) == {"result_consumers": ([ADA], [ADA, EVE])}

    def test_of_a_dataset_that_was_unlinked(self, stage: Stage, numbers: Path) -> None:
        dataset = stage.dataset(numbers)
        computation = stage.computation(datasets=[dataset.id])
        stage.session.acting_for(ADA, stage.workspace_name).assets.unlink(dataset.id, computation.id)
        assert stage.drift(computation) == {"datasets": ([dataset.id], [])}

    def test_of_the_agent_configuration(self, stage: Stage) -> None:
        computation = stage.computation(agent={"log_level": "info"})
        record = stage.workspace.computations.get(computation.id)
        assert record.agent_config is not None
        changed = type(record.agent_config)(attested_tls=True)
        stage.workspace.computations.update(
            computation.id, name="sum", description=record.description, agent_config=changed
        )
        assert set(stage.drift(computation)) == {"agent"}

    def test_a_full_definition_has_none(self, stage: Stage, runnable: Live[Any]) -> None:
        assert stage.drift(runnable) == {}

    def test_a_computation_that_is_gone_is_gone(self, stage: Stage) -> None:
        computation = stage.computation()
        stage.workspace.computations.delete(computation.id)
        assert stage.read(computation) is None


class TestPartialCreate:
    """What was made before a failure keeps its id, and the next update goes on."""

    def test_keeps_the_id(self, stage: Stage) -> None:
        with pytest.raises(PartialResult) as failure:
            stage.computation(result_consumers=["nobody"])
        assert failure.value.id == next(stage.workspace.computations.list()).id

    def test_says_what_failed(self, stage: Stage) -> None:
        with pytest.raises(PartialResult, match="nobody"):
            stage.computation(result_consumers=["nobody"])

    def test_is_finished_by_an_update(self, stage: Stage) -> None:
        with pytest.raises(PartialResult) as failure:
            stage.computation(result_consumers=["nobody"])
        partial = Live(failure.value.id, Computation.parse(failure.value.state))
        finished = stage.update(partial, result_consumers=[ADA])
        assert roles_of(stage, finished)[ADA] == "result_consumer"


def agent_of(stage: Stage, bundle: str) -> dict[str, Any]:
    """An agent's configuration for mutual TLS, from a bundle of its own."""
    made = stage.create("CertificateBundle", bundle, key={"algorithm": "ecdsa"}).state
    return {
        "tls": "mtls",
        "cert_file": made.server_certificate,
        "server_key": made.server_key,
        "server_ca_file": made.ca_certificate,
        "client_ca_file": made.ca_certificate,
    }


class TestDuringARun:
    """What a run has begun with cannot change under it."""

    @pytest.fixture
    def secured(self, stage: Stage, runnable: Live[Any]) -> Live[Any]:
        return stage.update(runnable, agent=agent_of(stage, "first"))

    @pytest.fixture
    def running(self, stage: Stage, runnable: Live[Any], vm: Live[Any]) -> Iterator[Live[Any]]:
        run = stage.create(
            "ComputationRun", "run", computation=runnable.id, vm=vm.id, wait=False, stop_on_delete=True
        )
        yield runnable
        stage.delete(run)

    def test_the_description_may_change(self, stage: Stage, running: Live[Any]) -> None:
        assert stage.update(running, description="adds more").state.description == "adds more"

    @pytest.mark.fault(14)
    def test_the_agent_configuration_is_frozen(self, stage: Stage, running: Live[Any]) -> None:
        with pytest.raises(PartialResult, match="cannot change while a run is going on"):
            stage.update(running, agent={"log_level": "debug"})

    @pytest.mark.fault(14)
    def test_new_certificates_wait_for_its_end(self, stage: Stage, secured: Live[Any], vm: Live[Any]) -> None:
        begun_with = secured.state.agent
        run = stage.create(
            "ComputationRun", "run", computation=secured.id, vm=vm.id, wait=False, stop_on_delete=True
        )
        fresh = agent_of(stage, "renewed")
        waiting = stage.update(secured, agent=fresh, description="adds more")
        assert waiting.state.agent == begun_with
        assert waiting.state.description == "adds more"
        assert "keeps the certificates that it began with" in stage.lines[-1]
        assert stage.drift(waiting) == {}

        stage.delete(run)
        done = stage.update(waiting, agent=fresh)
        assert done.state.agent.cert_file == fresh["cert_file"]
        assert stage.drift(done) == {}

    def test_another_mode_is_refused(self, stage: Stage, secured: Live[Any], vm: Live[Any]) -> None:
        run = stage.create(
            "ComputationRun", "run", computation=secured.id, vm=vm.id, wait=False, stop_on_delete=True
        )
        with pytest.raises(PartialResult, match="cannot change while a run is going on"):
            stage.update(secured, agent={"tls": "none"})
        stage.delete(run)

    @pytest.mark.fault(14)
    def test_the_datasets_are_frozen(self, stage: Stage, running: Live[Any]) -> None:
        with pytest.raises(PartialResult, match="cannot change while a run is going on"):
            stage.update(running, datasets=[])

    @pytest.mark.fault(14)
    def test_the_consumers_of_its_result_are_frozen(self, stage: Stage, running: Live[Any]) -> None:
        with pytest.raises(
            PartialResult, match="consumers of the result cannot change while a run is going on"
        ):
            stage.update(running, result_consumers=[ADA, EVE])

    @pytest.mark.fault(22)
    def test_a_delete_is_refused(self, stage: Stage, running: Live[Any]) -> None:
        with pytest.raises(Conflict, match="a run is going on"):
            stage.delete(running)
        assert stage.read(running) is not None

    @pytest.mark.fault(22)
    def test_a_delete_stops_it_when_told_so(self, stage: Stage, running: Live[Any]) -> None:
        stage.delete(stage.update(running, stop_on_delete=True))
        assert stage.read(running) is None

    def test_the_status_is_told(self, stage: Stage, running: Live[Any]) -> None:
        seen = stage.read(running)
        assert seen is not None
        assert seen.state.status is ComputationStatus.RUNNING


class TestDelete:
    def test_writes_the_definition_first(self, stage: Stage) -> None:
        computation = stage.computation()
        stage.delete(computation)
        (export,) = Path(".prism/exports").iterdir()
        assert json.loads(export.read_text())["description"] == "adds numbers"

    @pytest.mark.fault(40)
    def test_does_not_happen_where_the_definition_cannot_be_written(self, stage: Stage) -> None:
        Path("no folder").write_text("")
        computation = stage.computation(export_directory="no folder/exports")
        with pytest.raises(NotADirectoryError):
            stage.delete(computation)
        assert stage.read(computation) is not None

    def test_writes_no_private_key(self, stage: Stage) -> None:
        bundle = stage.create("CertificateBundle", "tls", mode="tls", key={"algorithm": "ecdsa"}).state
        agent = {"tls": "tls", "cert_file": bundle.server_certificate, "server_key": bundle.server_key}
        stage.delete(stage.computation(agent=agent))
        (export,) = Path(".prism/exports").iterdir()
        assert "PRIVATE KEY" not in export.read_text()

    @pytest.mark.fault(21)
    def test_of_what_is_gone_is_fine(self, stage: Stage) -> None:
        computation = stage.computation()
        stage.delete(computation)
        stage.delete(computation)
        assert count(stage) == 0
