"""Each kind of operation that was cut off is settled from what the backend has, at both faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prism_iac._engine import SIGNATURE
from prism_iac.model import VmProvider, VmStatus
from prism_iac.provider.faces import Face
from prism_iac.provider.repair import Outcome
from tests.contract.lifecycle.stage import ADA, Stage
from tests.contract.repair.states import PACKAGES, resource, settle, state

SUM: dict[str, Any] = {"name": "sum", "description": "adds numbers"}


@pytest.fixture(params=Face)
def face(request: pytest.FixtureRequest) -> Face:
    found: Face = request.param
    return found


class TestCreate:
    def test_what_was_made_comes_into_the_state(self, stage: Stage, face: Face) -> None:
        inputs = stage.check("Computation", "sum", **SUM)
        made = stage.computation()
        (decision,), after = settle(
            stage, state(pending=(("creating", resource("Computation", "sum", inputs, face=face)),))
        )
        assert decision.outcome is Outcome.RECORDED
        assert after.resources[-1] == resource("Computation", "sum", inputs, live=stage.read(made), face=face)
        assert after.pending == ()

    def test_what_was_not_made_is_dropped(self, stage: Stage, face: Face) -> None:
        inputs = stage.check("Computation", "sum", **SUM)
        before = state(pending=(("creating", resource("Computation", "sum", inputs, face=face)),))
        (decision,), after = settle(stage, before)
        assert (decision.outcome, after) == (Outcome.DROPPED, state())
        assert list(stage.workspace.computations.list()) == []

    def test_what_was_half_made_is_recorded_as_it_is(self, stage: Stage, face: Face) -> None:
        stage.computation()
        wanted = stage.check("Computation", "sum", **SUM, result_consumers=[ADA])
        _, after = settle(
            stage, state(pending=(("creating", resource("Computation", "sum", wanted, face=face)),))
        )
        name = "resultConsumers" if face is Face.NATIVE else "result_consumers"
        assert after.resources[-1]["inputs"][name] == []

    def test_a_vm_that_is_not_ready_is_recorded_with_a_note_for_the_next_update(
        self, stage: Stage, face: Face
    ) -> None:
        vm = stage.create("ConfidentialVM", "trainer")
        stage.session.hypervisor(VmProvider.LOCAL).remove(vm.id)
        inputs = stage.check("ConfidentialVM", "trainer")
        _, after = settle(
            stage, state(pending=(("creating", resource("ConfidentialVM", "trainer", inputs, face=face)),))
        )
        assert after.resources[-1]["id"] == vm.id
        assert after.resources[-1]["initErrors"] == ["the VM has its record and is not ready"]
        stage.delete(vm)

    def test_what_a_later_update_recorded_is_dropped(self, stage: Stage) -> None:
        inputs = stage.check("Computation", "sum", **SUM)
        recorded = resource("Computation", "sum", inputs, live=stage.computation())
        (decision,), after = settle(
            stage, state(recorded, pending=(("creating", resource("Computation", "sum", inputs)),))
        )
        assert (decision.outcome, after) == (Outcome.DROPPED, state(recorded))

    def test_the_new_half_of_a_replacement_takes_the_place_of_the_old(self, stage: Stage) -> None:
        asset: dict[str, Any] = {"asset_type": "dataset", "description": "a dataset", "checksum": "ab" * 32}
        old = resource(
            "Asset", "it", stage.check("Asset", "it", **asset), live=stage.create("Asset", "it", **asset)
        )
        new = stage.create("Asset", "it", generation=1, **asset)
        inputs = stage.check("Asset", "it", generation=1, **asset)
        _, after = settle(stage, state(old, pending=(("creating", resource("Asset", "it", inputs)),)))
        assert after.resources[2:] == [
            resource("Asset", "it", inputs, live=stage.read(new)),
            {**old, "delete": True},
        ]
        # One that was deleted before the new one was made leaves the state.
        gone = state(
            {**old, "pendingReplacement": True}, pending=(("creating", resource("Asset", "it", inputs)),)
        )
        assert settle(stage, gone)[1].resources[2:] == [resource("Asset", "it", inputs, live=stage.read(new))]

    def test_secrets_stay_secrets(self, stage: Stage, face: Face) -> None:
        made = stage.create("CertificateBundle", "tls", key={"algorithm": "ecdsa"}).state
        agent = {
            "cert_file": made.server_certificate,
            "server_key": made.server_key,
            "server_ca_file": made.ca_certificate,
            "client_ca_file": made.ca_certificate,
        }
        inputs = stage.check("Computation", "sum", **SUM, agent=agent)
        stage.computation(agent=agent)
        _, after = settle(
            stage, state(pending=(("creating", resource("Computation", "sum", inputs, face=face)),))
        )
        recorded = after.resources[-1]
        name = "serverKey" if face is Face.NATIVE else "server_key"
        for part in ("inputs", "outputs"):
            assert SIGNATURE in recorded[part]["agent"][name]

    @pytest.mark.parametrize("kind", ["PublicKey", "CertificateBundle", "ComputationRun"])
    def test_what_cannot_be_found_is_left_to_the_next_create(self, stage: Stage, kind: str) -> None:
        pending = resource(kind, "it", {"identity": "000000000000.0"})
        (decision,), after = settle(stage, state(pending=(("creating", pending),)))
        assert (decision.outcome, after) == (Outcome.DROPPED, state())
        assert "the next update creates it again" in decision.reason


class TestUpdate:
    def test_the_state_takes_what_is_there(self, stage: Stage, face: Face) -> None:
        before = stage.computation()
        recorded = resource("Computation", "sum", before.state.inputs(), live=before, face=face)
        after = stage.update(before, description="adds more numbers", result_consumers=[ADA])
        wanted = resource("Computation", "sum", after.state.inputs(), live=before, face=face)
        (decision,), settled = settle(stage, state(recorded, pending=(("updating", wanted),)))
        assert (decision.outcome, decision.reason) == (Outcome.RECORDED, "it was done")
        assert settled == state(
            resource("Computation", "sum", after.state.inputs(), live=stage.read(after), face=face)
        )

    def test_what_is_left_to_do_is_told(self, stage: Stage) -> None:
        live = stage.computation()
        recorded = resource("Computation", "sum", live.state.inputs(), live=live)
        wanted = resource("Computation", "sum", {**live.state.inputs(), "description": "more"}, live=live)
        (decision,), settled = settle(stage, state(recorded, pending=(("updating", wanted),)))
        assert decision.reason == "the next update does what is left: description"
        assert settled == state(recorded)

    def test_what_is_gone_leaves_the_state_and_what_depends_on_it_forgets_it(self, stage: Stage) -> None:
        live = stage.computation()
        recorded = resource("Computation", "sum", live.state.inputs(), live=live)
        urn = recorded["urn"]
        other = {
            "urn": "urn:pulumi:dev::platform::random:index:RandomId::id",
            "type": "random:index:RandomId",
            "custom": True,
            "dependencies": [urn],
            "propertyDependencies": {"seed": [urn]},
        }
        stage.delete(live)
        (decision,), settled = settle(stage, state(recorded, other, pending=(("updating", recorded),)))
        assert decision.outcome is Outcome.REMOVED
        assert settled == state({**other, "dependencies": [], "propertyDependencies": {"seed": []}})


class TestDelete:
    def test_what_is_gone_leaves_the_state(self, stage: Stage, face: Face) -> None:
        live = stage.computation()
        recorded = resource("Computation", "sum", live.state.inputs(), live=live, face=face)
        stage.delete(live)
        (decision,), settled = settle(stage, state(recorded, pending=(("deleting", recorded),)))
        assert (decision.outcome, settled) == (Outcome.REMOVED, state())

    def test_what_is_there_stays(self, stage: Stage) -> None:
        live = stage.computation()
        recorded = resource("Computation", "sum", live.state.inputs(), live=live)
        (decision,), settled = settle(stage, state(recorded, pending=(("deleting", recorded),)))
        assert (decision.outcome, settled) == (Outcome.DROPPED, state(recorded))

    def test_the_process_of_a_vm_whose_record_is_gone_goes_too(self, stage: Stage) -> None:
        vm = stage.create("ConfidentialVM", "trainer")
        recorded = resource("ConfidentialVM", "trainer", vm.state.inputs(), live=vm)
        stage.workspace.cvms.delete(vm.id)
        assert stage.workspace.cvms.get(vm.id).status is VmStatus.INACTIVE
        (decision,), settled = settle(stage, state(recorded, pending=(("deleting", recorded),)))
        assert (decision.outcome, settled) == (Outcome.REMOVED, state())
        assert stage.session.hypervisor(VmProvider.LOCAL).find(vm.id) is None

    def test_the_old_half_of_a_replacement_goes_and_the_new_one_stays(self, stage: Stage) -> None:
        asset: dict[str, Any] = {"asset_type": "dataset", "description": "a dataset", "checksum": "ab" * 32}
        old, new = (stage.create("Asset", "it", generation=number, **asset) for number in range(2))
        kept = resource("Asset", "it", new.state.inputs(), live=new)
        waiting = resource("Asset", "it", old.state.inputs(), live=old, delete=True)
        stage.delete(old)
        _, settled = settle(stage, state(kept, waiting, pending=(("deleting", waiting),)))
        assert settled == state(kept)


@pytest.mark.parametrize(("operation", "verb"), [("reading", "read"), ("importing", "import")])
def test_a_look_changes_nothing_and_says_what_is_there(stage: Stage, operation: str, verb: str) -> None:
    live = stage.computation()
    there = resource("Computation", "sum", {}, live=live)
    absent = {**there, "id": "7f1c0000-0000-4000-8000-000000000000"}
    decisions, settled = settle(stage, state(pending=((operation, there), (operation, absent))))
    assert [item.outcome for item in decisions] == [Outcome.DROPPED] * 2
    assert decisions[0].reason == f"{live.id} is there, and a {verb} changes nothing: {verb} it again"
    assert " is not there, and " in decisions[1].reason
    assert settled == state()


def test_a_peer_that_does_not_answer_leaves_the_operation(stage: Stage, tmp_path: Path) -> None:
    inputs = stage.check("Computation", "sum", **SUM)
    before = state(pending=(("creating", resource("Computation", "sum", inputs)),))
    elsewhere = Stage(tmp_path / "nobody", stage.workspace_name)
    (decision,), after = settle(elsewhere, before)
    assert (decision.outcome, after) == (Outcome.LEFT, before)
    assert "the embedded backend is not running" in decision.reason


def test_what_is_not_ours_stays_and_what_is_of_the_engine_goes(stage: Stage) -> None:
    foreign = {"urn": "urn:pulumi:dev::platform::random:index:RandomId::id", "type": "random:index:RandomId"}
    own = {"urn": "urn:pulumi:dev::platform::pulumi:providers:prism::p", "type": "pulumi:providers:prism"}
    operations = (("creating", {**foreign, "custom": True}), ("creating", {**own, "custom": True}))
    decisions, after = settle(stage, state(pending=operations))
    assert [item.outcome for item in decisions] == [Outcome.LEFT, Outcome.DROPPED]
    assert after == state(pending=operations[:1])


def test_a_provider_of_its_own_is_asked_with_its_own_configuration(stage: Stage, tmp_path: Path) -> None:
    inputs = stage.check("Computation", "sum", **SUM)
    made = stage.computation()
    named = {
        "urn": f"urn:pulumi:dev::platform::pulumi:providers:{PACKAGES[Face.NATIVE]}::here",
        "custom": True,
        "id": "2",
        "type": "pulumi:providers:prism",
        "inputs": {"dataFolder": str(stage.data), "workspace": stage.workspace_name},
    }
    pending = resource("Computation", "sum", inputs, face=Face.NATIVE, provider=f"{named['urn']}::2")
    elsewhere = Stage(tmp_path / "nobody", stage.workspace_name)
    (decision,), _ = settle(elsewhere, state(named, pending=(("creating", pending),)))
    assert decision.after is not None
    assert decision.after["id"] == made.id
