"""The life of a VM that a manager makes: our own manager, the real backend, real agents."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import InvalidInput, PartialResult, RemoteFailure
from prism_iac.hypervisor.cocos import CocosManager, Machine, ManagerAccess, ReplyLost
from prism_iac.lifecycle import HANDLERS, Live, diff
from prism_iac.model import VmStatus
from prism_iac.model.resources import Computation, KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, IssuedCertificate
from tests.contract.hypervisor.managers import OwnManager, own_manager
from tests.contract.lifecycle.stage import Stage, eventually

EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)
DAY = timedelta(days=1)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[OwnManager]:
    with own_manager(tmp_path / "manager") as manager:
        yield manager


@pytest.fixture
def managed(stage: Stage, manager: OwnManager) -> Iterator[Live[Any]]:
    vm = make(stage, manager)
    yield vm
    stage.delete(vm)
    assert manager.vms() == []


def make(stage: Stage, manager: OwnManager, **more: Any) -> Live[Any]:
    return stage.create("ConfidentialVM", "trainer", provider="cocos", manager=manager.address, **more)


def why_due(stage: Stage, live: Live[Any]) -> str | None:
    context = stage.context("trainer", live.state.identity)
    return diff(HANDLERS["ConfidentialVM"], live.state.properties(), live.state.inputs(), context).due


def partial(failure: pytest.ExceptionInfo[PartialResult]) -> Live[Any]:
    """What the engine records of a create that failed in the middle."""
    return Live(failure.value.id, HANDLERS["ConfidentialVM"].model.parse(failure.value.state))


@contextmanager
def losing_replies(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Creates whose answer never comes; gives the ids of the machines that they made."""
    made: list[str] = []
    create = CocosManager.create

    def create_and_lose(self: CocosManager, *arguments: Any, **named: Any) -> Machine:
        made.append(create(self, *arguments, **named).id)
        raise ReplyLost("the manager did not answer", where="the manager CreateVm")

    with monkeypatch.context() as patch:
        patch.setattr(CocosManager, "create", create_and_lose)
        yield made


def test_it_is_ready_when_the_create_returns(manager: OwnManager, managed: Live[Any]) -> None:
    state = managed.state
    assert state.status is VmStatus.ONLINE
    assert state.state == "ReceivingManifest"
    assert manager.vms() == [state.cvm_id]
    assert state.agent_address.startswith("127.0.0.1:")
    assert datetime.fromisoformat(state.expires_at) > datetime.now(UTC) + timedelta(hours=23)


def test_a_run_ends_with_the_sum(  # noqa: PLR0917  # what a run takes
    stage: Stage,
    managed: Live[Any],
    runnable: Live[Computation],
    addition: Path,
    numbers: Path,
    tmp_path: Path,
) -> None:
    run = stage.create(
        "ComputationRun", "sum", computation=runnable.id, vm=managed.id, wait=False, stop_on_delete=True
    )
    assert run.state.agent_address == managed.state.agent_address
    stage.upload(run, addition, numbers)
    eventually(lambda: stage.workspace.cvms.get(managed.id).state == "ConsumingResults")
    with zipfile.ZipFile(stage.fetch_result(run, tmp_path / "result.zip")) as archive:
        assert archive.read("sum.txt") == b"42"


def test_a_refresh_shows_no_change(stage: Stage, managed: Live[Any]) -> None:
    seen = stage.read(managed)
    assert seen is not None
    assert seen.state == managed.state
    assert why_due(stage, seen) is None


def test_a_delete_ends_the_machine_and_is_fine_a_second_time(stage: Stage, manager: OwnManager) -> None:
    vm = make(stage, manager)
    stage.delete(vm)
    assert manager.vms() == []
    stage.delete(vm)
    assert [record.id for record in stage.workspace.cvms.list()] == []


def test_a_manager_that_is_away_is_no_vm_that_is_gone(
    stage: Stage, manager: OwnManager, managed: Live[Any]
) -> None:
    manager.end()
    with pytest.raises(RemoteFailure, match="cannot be reached"):
        stage.read(managed)
    manager.start()
    seen = stage.read(managed)
    assert seen is not None
    assert seen.state == managed.state


def test_a_machine_that_ended_is_due_and_made_anew_under_the_same_id(
    stage: Stage, manager: OwnManager, managed: Live[Any]
) -> None:
    with CocosManager(ManagerAccess(manager.address)) as client:
        client.remove(managed.state.cvm_id)
    seen = stage.read(managed)
    assert seen is not None
    assert (seen.state.cvm_id, seen.state.agent_address, seen.state.expires_at) == (None, None, None)
    assert why_due(stage, seen) == "no machine runs for the VM"
    again = stage.update(seen)
    assert again.id == managed.id
    assert manager.vms() == [again.state.cvm_id]
    assert again.state.cvm_id != managed.state.cvm_id
    assert why_due(stage, again) is None


class TestTimeToLive:
    """A machine is made anew before its manager ends it."""

    def late(self, managed: Live[Any]) -> datetime:
        end: datetime = datetime.fromisoformat(managed.state.expires_at)
        return end - timedelta(hours=6)

    def test_it_is_due_from_its_last_quarter_on(self, stage: Stage, managed: Live[Any]) -> None:
        stage.clock = self.late(managed) - timedelta(seconds=1)
        assert why_due(stage, managed) is None
        stage.clock = self.late(managed)
        assert str(why_due(stage, managed)).startswith("the VM's time to live ends at ")

    def test_an_update_makes_it_anew_and_ends_the_old_one(
        self, stage: Stage, manager: OwnManager, managed: Live[Any]
    ) -> None:
        stage.clock = self.late(managed)
        again = stage.update(managed)
        assert again.state.cvm_id != managed.state.cvm_id
        assert manager.vms() == [again.state.cvm_id]
        assert again.state.status is VmStatus.ONLINE
        assert why_due(stage, again) is None

    def test_a_run_is_not_cut_off(
        self, stage: Stage, manager: OwnManager, managed: Live[Any], runnable: Live[Computation]
    ) -> None:
        run = stage.create(
            "ComputationRun", "sum", computation=runnable.id, vm=managed.id, wait=False, stop_on_delete=True
        )
        eventually(lambda: stage.workspace.cvms.get(managed.id).state == "ReceivingAlgorithm")
        stage.clock = self.late(managed)
        same = stage.update(managed)
        assert manager.vms() == [managed.state.cvm_id]
        assert "it is made anew by an update after its run" in "\n".join(stage.lines)
        assert why_due(stage, same) is not None
        stage.clock = None
        stage.delete(run)

    @pytest.mark.parametrize("ttl", ["0s", "366d"])
    def test_one_that_no_manager_should_be_told_is_refused_before_any_call(
        self, stage: Stage, ttl: str
    ) -> None:
        with pytest.raises(InvalidInput, match="is no time to live"):
            stage.check("ConfidentialVM", "vm", provider="cocos", manager="127.0.0.1:9", ttl=ttl)


class TestLostReply:
    """The manager has made a machine, and nobody knows its id."""

    @pytest.mark.fault("13b")
    def test_the_user_is_told_what_may_exist_and_until_when(
        self, stage: Stage, manager: OwnManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with losing_replies(monkeypatch) as made, pytest.raises(PartialResult) as lost:
            make(stage, manager, ttl="2h")
        assert "it may have made a VM, which then ends by itself until " in lost.value.message
        assert manager.vms() == made
        stage.delete(partial(lost))

    @pytest.mark.fault("13b")
    def test_the_next_update_makes_another_and_ends_the_lost_one(
        self, stage: Stage, manager: OwnManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with losing_replies(monkeypatch) as made, pytest.raises(PartialResult) as lost:
            make(stage, manager)
        live = partial(lost)
        assert why_due(stage, live) == "no machine runs for the VM"
        eventually(lambda: stage.workspace.cvms.get(live.id).cvm_id == made[0])
        vm = stage.update(live)
        assert manager.vms() == [vm.state.cvm_id]
        stage.delete(vm)
        assert manager.vms() == []

    @pytest.mark.fault("13b")
    def test_a_delete_ends_the_lost_one(
        self, stage: Stage, manager: OwnManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with losing_replies(monkeypatch) as made, pytest.raises(PartialResult) as lost:
            make(stage, manager)
        live = partial(lost)
        eventually(lambda: stage.workspace.cvms.get(live.id).cvm_id == made[0])
        stage.begin_deployment()
        stage.delete(live)
        assert manager.vms() == []

    @pytest.mark.fault("13b")
    def test_a_create_that_was_killed_before_it_could_tell_is_taken_up(
        self, stage: Stage, manager: OwnManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with losing_replies(monkeypatch) as made, pytest.raises(PartialResult) as lost:
            make(stage, manager)
        eventually(lambda: stage.workspace.cvms.get(lost.value.id).cvm_id == made[0])
        stage.begin_deployment()
        vm = make(stage, manager)  # state knows nothing of the first
        assert vm.id == lost.value.id
        assert manager.vms() == [vm.state.cvm_id]
        stage.delete(vm)

    def test_a_lost_machine_that_nobody_ever_saw_is_not_let_in(
        self, stage: Stage, manager: OwnManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with losing_replies(monkeypatch), pytest.raises(PartialResult) as lost:
            make(stage, manager)
        live = partial(lost)
        certificates = stage.workspace.certificates
        before = {item.serial_number for item in certificates.list(cvm_id=live.id)}
        vm = stage.update(live)
        revoked = {item.serial_number for item in certificates.list(cvm_id=live.id) if item.revoked}
        assert revoked == before
        stage.delete(vm)


@pytest.mark.fault(9, 10)
def test_one_that_is_not_ready_in_time_keeps_its_machine(stage: Stage, manager: OwnManager) -> None:
    with pytest.raises(PartialResult, match="is not ready after 0s") as late:
        make(stage, manager, ready_timeout="0s")
    live = partial(late)
    assert manager.vms() == [live.state.cvm_id]
    ready = stage.update(live, ready_timeout="1m")
    assert ready.state.cvm_id == live.state.cvm_id
    stage.delete(ready)


@pytest.mark.fault(12)
def test_a_full_manager_is_told_and_the_record_is_kept(stage: Stage, tmp_path: Path) -> None:
    with own_manager(tmp_path / "full", "--max-vms", "1") as manager:
        first = make(stage, manager)
        with pytest.raises(PartialResult, match="maximum number of VMs exceeded") as full:
            stage.create("ConfidentialVM", "second", provider="cocos", manager=manager.address)
        stage.delete(first)
        second = stage.update(partial(full))
        assert manager.vms() == [second.state.cvm_id]
        stage.delete(second)


def test_other_vcpus_than_the_manager_has_are_told(stage: Stage, manager: OwnManager) -> None:
    with pytest.raises(PartialResult, match="makes VMs of 2 vCPUs, not 4") as refused:
        make(stage, manager, vcpus=4)
    assert manager.vms() == []
    stage.delete(partial(refused))


def test_a_manager_that_does_not_answer_at_the_delete_is_an_error(stage: Stage, manager: OwnManager) -> None:
    vm = make(stage, manager)
    manager.end()
    with pytest.raises(RemoteFailure, match="cannot be reached"):
        stage.delete(vm)
    manager.start()
    stage.delete(vm)
    assert manager.vms() == []


class TestTls:
    """The manager and the provider know each other by certificates."""

    @pytest.fixture
    def authority(self) -> Authority:
        return Authority.create("Test CA", key=EC, now=datetime.now(UTC), validity=DAY)

    @pytest.fixture(params=["tls", "mtls"])
    def mode(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def manager(self, tmp_path: Path, authority: Authority, mode: str) -> Iterator[OwnManager]:
        own = self.issue(authority, "manager", ip_addresses=["127.0.0.1"])
        files = {"certificate": own.certificate_pem, "key": own.key_pem}
        if mode == "mtls":
            files["client-ca"] = authority.certificate_pem
        options = []
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
            options += [f"--{name}", str(tmp_path / name)]
        with own_manager(tmp_path / "manager", *options) as manager:
            yield manager

    @pytest.fixture
    def files(self, tmp_path: Path, authority: Authority, mode: str) -> dict[str, str]:
        """What the provider has for a manager of the mode: one file by its path, the others as text."""
        (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
        own = self.issue(authority, "platform")
        client = {"client_certificate": own.certificate_pem.decode(), "client_key": own.key_pem.decode()}
        return {"server_ca": str(tmp_path / "ca.pem"), **(client if mode == "mtls" else {})}

    def issue(self, authority: Authority, name: str, **more: Any) -> IssuedCertificate:
        return authority.issue(common_name=name, key=EC, now=datetime.now(UTC), validity=DAY, **more)

    def test_a_vm_is_made_read_and_removed(
        self, stage: Stage, manager: OwnManager, files: dict[str, str]
    ) -> None:
        vm = make(stage, manager, manager_tls=files)
        assert manager.vms() == [vm.state.cvm_id]
        seen = stage.read(vm)
        assert seen is not None
        assert seen.state == vm.state
        stage.delete(vm)
        assert manager.vms() == []

    @pytest.mark.parametrize("mode", ["mtls"], indirect=True)
    def test_the_key_may_be_that_of_the_configuration(
        self, stage: Stage, manager: OwnManager, files: dict[str, str]
    ) -> None:
        key = files.pop("client_key")
        with pytest.raises(PartialResult, match="has no key") as refused:
            make(stage, manager, manager_tls=files)
        stage.manager_key = key
        stage.begin_deployment()
        ready = stage.update(partial(refused))
        assert key not in str(ready.state.properties())
        stage.delete(ready)

    def test_a_stranger_makes_no_vm_and_what_was_recorded_goes_on_with_other_files(
        self, stage: Stage, manager: OwnManager, files: dict[str, str], mode: str
    ) -> None:
        other = Authority.create("Other CA", key=EC, now=datetime.now(UTC), validity=DAY)
        foreign = self.issue(other, "platform")
        wrong = (
            {"client_certificate": foreign.certificate_pem.decode(), "client_key": foreign.key_pem.decode()}
            if mode == "mtls"
            else {"server_ca": other.certificate_pem.decode()}
        )
        with pytest.raises(PartialResult, match="cannot be reached"):
            make(stage, manager, manager_tls={**files, **wrong})
        with pytest.raises(PartialResult, match="cannot be reached") as refused:
            make(stage, manager)
        assert "manager_tls" in refused.value.next_step
        assert manager.vms() == []
        ready = stage.update(partial(refused), manager_tls=files)
        assert manager.vms() == [ready.state.cvm_id]
        stage.delete(ready)
