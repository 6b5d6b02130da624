"""Our own manager, as a process, through the client of managers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from prism_iac.attestation.policy import PolicyFile, PolicyForm
from prism_iac.hypervisor._lock import locked
from prism_iac.hypervisor._process import identity_of
from prism_iac.hypervisor.cocos import (
    CocosManager,
    ManagerAccess,
    ManagerFailed,
    ManagerUnreachable,
    ReplyLost,
)
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority
from prism_iac.wire.manager_pb2 import AttestationPolicyReq, CreateReq, CVMInfoReq, RemoveReq
from prism_iac.wire.manager_pb2_grpc import ManagerServiceStub
from tests.contract.agent.vm import free_port
from tests.contract.hypervisor.manager_cases import HOUR, SPEC, ManagerCases, eventually
from tests.contract.hypervisor.managers import OwnManager, own_manager

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[OwnManager]:
    with own_manager(tmp_path / "manager", "--max-vms", "2") as manager:
        yield manager


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create("Test CA", key=EC, now=NOW, validity=DAY)


@pytest.fixture
def access(manager: OwnManager) -> ManagerAccess:
    return ManagerAccess(manager.address)


@pytest.fixture
def stub(manager: OwnManager) -> Iterator[ManagerServiceStub]:
    with grpc.insecure_channel(manager.address) as channel:
        yield ManagerServiceStub(channel)


@pytest.fixture
def restart(manager: OwnManager) -> Callable[[], None]:
    def restart() -> None:
        assert manager.end() == 0
        manager.start()

    return restart


class TestOwnManager(ManagerCases):
    """The cases of every manager."""


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str | None]:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return refused.value.code(), refused.value.details()


def test_two_vms_have_ids_and_ports_of_their_own(access: ManagerAccess) -> None:
    with CocosManager(access) as client:
        one, other = client.create(SPEC, ttl=HOUR), client.create(SPEC, ttl=HOUR)
    assert one.id != other.id
    assert one.agent_address != other.agent_address


def test_it_answers_the_health_check(manager: OwnManager) -> None:
    with grpc.insecure_channel(manager.address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        answer = check(HealthCheckRequest(service="manager"), timeout=10)
    assert answer.status == HealthCheckResponse.SERVING


@pytest.mark.parametrize("ttl", ["1d", "5", "soon", "-1h", "0s", "1h 5m", "999999999h"])
def test_a_time_to_live_that_it_cannot_read_makes_no_vm(
    manager: OwnManager, stub: ManagerServiceStub, ttl: str
) -> None:
    code, text = refusal(lambda: stub.CreateVm(CreateReq(agent_cvm_server_url="127.0.0.1:9", ttl=ttl)))
    assert (code, text) == (grpc.StatusCode.UNKNOWN, f'time: invalid duration "{ttl}"')
    assert manager.vms() == []


def test_a_vm_that_has_no_control_stream_is_refused(manager: OwnManager, stub: ManagerServiceStub) -> None:
    code, text = refusal(lambda: stub.CreateVm(CreateReq(ttl="1h")))
    assert code is grpc.StatusCode.UNKNOWN
    assert "control_address" in str(text)
    assert manager.vms() == []


def test_what_it_does_not_have_is_told_in_the_words_of_cocos(stub: ManagerServiceStub) -> None:
    assert refusal(lambda: stub.RemoveVm(RemoveReq(cvm_id="x"))) == (
        grpc.StatusCode.UNKNOWN,
        "entity not found",
    )
    assert refusal(lambda: stub.AttestationPolicy(AttestationPolicyReq(id="x"))) == (
        grpc.StatusCode.UNKNOWN,
        "computationId x not found",
    )
    assert stub.CVMInfo(CVMInfoReq(id="x")).id == "x"


def test_its_policy_names_the_measurement_of_the_vm(access: ManagerAccess, stub: ManagerServiceStub) -> None:
    with CocosManager(access) as manager:
        machine = manager.create(SPEC, ttl=HOUR)
    policy = PolicyFile.parse(stub.AttestationPolicy(AttestationPolicyReq(id=machine.id)).info)
    assert policy.form is PolicyForm.CORIM
    assert policy.document.snp_policy().policy.measurement not in (None, bytes(48))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_vm_whose_time_is_over_while_nobody_serves_ends_with_the_next_start(
    manager: OwnManager, access: ManagerAccess, number: signal.Signals
) -> None:
    with CocosManager(access) as client:
        machine = client.create(SPEC, ttl=HOUR)
    manager.end(number)
    assert manager.vms() == [machine.id]
    (manager.data / "ends" / machine.id).write_text((NOW - DAY).isoformat())
    manager.start()
    eventually(lambda: manager.vms() == [])


def test_one_without_a_time_to_live_stays(manager: OwnManager, stub: ManagerServiceStub) -> None:
    made = stub.CreateVm(CreateReq(agent_cvm_server_url="127.0.0.1:9"))
    manager.end()
    manager.start()
    assert manager.vms() == [made.cvm_id]


def test_a_vm_that_ended_by_itself_is_not_there(manager: OwnManager, access: ManagerAccess) -> None:
    with CocosManager(access) as client:
        machine = client.create(SPEC, ttl=HOUR)
        LocalHypervisor(manager.data, grace_seconds=0).stop(machine.id)
        assert not client.exists(machine.id)
    manager.end()
    manager.start()
    assert not (manager.data / "vms" / machine.id).exists()


def test_a_second_manager_of_the_same_folder_is_refused(manager: OwnManager) -> None:
    command = [sys.executable, "-m", "prism_iac.cli", "manager", "run", "--listen", "127.0.0.1:0"]
    second = subprocess.run(
        [*command, "--data", str(manager.data)], capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    assert "another manager serves this folder" in second.stderr


class TestItsEnd:
    """What a call or a removal is at when the manager is told to end does not keep it."""

    def test_a_create_that_takes_long_is_undone(self, manager: OwnManager) -> None:
        with (
            CocosManager(ManagerAccess(manager.address)) as client,
            ThreadPoolExecutor(1) as callers,
            # As if the keys of the platform took for ever, which the first VM of a folder has made.
            locked(manager.data / "platform.lock"),
        ):
            call = callers.submit(client.create, SPEC, ttl=HOUR)
            eventually(lambda: any((manager.data / "ends").glob("*")))
            assert manager.end() == 0
            with pytest.raises(ReplyLost):
                call.result()
        manager.start()
        assert manager.vms() == []
        assert list((manager.data / "vms").glob("[!.]*")) == []
        with CocosManager(ManagerAccess(manager.address)) as client:
            machine = client.create(SPEC, ttl=HOUR)
        assert manager.vms() == [machine.id]

    def test_a_removal_that_takes_long_is_finished_by_the_next(
        self, manager: OwnManager, access: ManagerAccess
    ) -> None:
        with CocosManager(access) as client:
            deaf = client.create(SPEC, ttl=HOUR)
            vm = LocalHypervisor(manager.data).find(deaf.id)
            assert vm is not None
            os.kill(vm.pid, signal.SIGSTOP)
            (manager.data / "ends" / deaf.id).write_text((NOW - DAY).isoformat())
            other = client.create(SPEC, ttl=HOUR)
        eventually(lambda: manager.vms() == [other.id])
        assert manager.end() == 0
        assert identity_of(vm.pid) is not None
        os.kill(vm.pid, signal.SIGCONT)
        manager.start()
        eventually(lambda: not vm.folder.exists())
        assert identity_of(vm.pid) is None
        assert manager.vms() == [other.id]

    def test_an_end_that_was_cut_off_while_it_was_noted_is_none(self, manager: OwnManager) -> None:
        manager.end()
        (manager.data / "ends").mkdir()
        (manager.data / "ends" / ".a-vm.new").touch()
        manager.start()
        assert manager.end() == 0


class TestTls:
    """The manager and its client know each other by certificates."""

    @pytest.fixture
    def manager(self, tmp_path: Path, authority: Authority) -> Iterator[OwnManager]:
        own = authority.issue(
            common_name="manager", ip_addresses=["127.0.0.1"], key=EC, now=NOW, validity=DAY
        )
        files = {
            "--certificate": own.certificate_pem,
            "--key": own.key_pem,
            "--client-ca": authority.certificate_pem,
        }
        options = []
        for option, content in files.items():
            path = tmp_path / option.strip("-")
            path.write_bytes(content)
            options += [option, str(path)]
        with own_manager(tmp_path / "manager", *options) as manager:
            yield manager

    def test_one_who_shows_a_certificate_of_the_ca_is_let_in(
        self, manager: OwnManager, authority: Authority
    ) -> None:
        own = authority.issue(common_name="platform", key=EC, now=NOW, validity=DAY)
        access = ManagerAccess(manager.address, authority.certificate_pem, own.certificate_pem, own.key_pem)
        with CocosManager(access) as client:
            client.require(vcpus=2)
        assert "PRIVATE KEY" not in repr(access)

    def test_strangers_are_not(self, manager: OwnManager, authority: Authority) -> None:
        other = Authority.create("Other CA", key=EC, now=NOW, validity=DAY)
        foreign = other.issue(common_name="platform", key=EC, now=NOW, validity=DAY)
        ca = authority.certificate_pem
        for access in (
            ManagerAccess(manager.address),
            ManagerAccess(manager.address, ca),
            ManagerAccess(manager.address, ca, foreign.certificate_pem, foreign.key_pem),
        ):
            with CocosManager(access) as client, pytest.raises((ManagerUnreachable, ReplyLost)):
                client.require(vcpus=2)

    def test_a_manager_of_another_ca_is_told_nothing(self, manager: OwnManager) -> None:
        other = Authority.create("Other CA", key=EC, now=NOW, validity=DAY)
        with (
            CocosManager(ManagerAccess(manager.address, other.certificate_pem)) as client,
            pytest.raises(ManagerUnreachable, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            client.create(SPEC, ttl=HOUR)
        assert manager.vms() == []


class TestNoAnswer:
    """A manager that does not answer says nothing of a VM."""

    def test_one_that_does_not_run_is_unreachable_and_nothing_was_made(self) -> None:
        with CocosManager(ManagerAccess(f"127.0.0.1:{free_port()}")) as client:
            for call in (
                lambda: client.create(SPEC, ttl=HOUR),
                lambda: client.exists("x"),
                lambda: client.remove("x"),
            ):
                with pytest.raises(ManagerUnreachable, match="cannot be reached") as lost:
                    call()
                assert lost.value.retry_is_safe

    def test_one_that_takes_too_long_may_have_done_it(self, manager: OwnManager) -> None:
        with (
            CocosManager(ManagerAccess(manager.address), patience_seconds=0.001) as client,
            pytest.raises(ReplyLost) as lost,
        ):
            client.create(SPEC, ttl=timedelta(seconds=1))
        assert not lost.value.retry_is_safe

    def test_what_is_no_manager_is_told(self) -> None:
        server = grpc.server(ThreadPoolExecutor(1))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            with (
                CocosManager(ManagerAccess(f"127.0.0.1:{port}")) as client,
                pytest.raises(ManagerFailed, match="none of a manager's: UNIMPLEMENTED"),
            ):
                client.exists("x")
        finally:
            server.stop(0).wait()
