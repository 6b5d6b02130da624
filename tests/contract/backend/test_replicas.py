"""Several processes on one PostgreSQL database are one instance, and go on when one of them is killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx
import pytest

from prism_iac.backend import Instance, StartFailure, start, status, stop
from prism_iac.backend._logins import LoginBrake
from prism_iac.backend.store import cvms, notices
from prism_iac.prism import PasswordCredentials, PrismClient
from tests.contract.agent.relay import relay
from tests.contract.backend.fake_agent import FakeAgent
from tests.contract.backend.live import Live, eventually
from tests.contract.backend.test_real_agent import ALGORITHM, EVENTS_OF_A_RUN, Scene, Vm, opened
from tests.unit.backend.postgres import make_database

Connect = Callable[..., FakeAgent]
Call = Callable[..., httpx.Response]

pytestmark = pytest.mark.postgres
ON_POSTGRES = pytest.mark.parametrize("database", ["postgres"], indirect=True)

SLOW = ALGORITHM + b"sleep 3\n"
DENIED = grpc.StatusCode.PERMISSION_DENIED


@dataclass(frozen=True)
class Replica:
    """One process of an instance."""

    data: Path
    instance: Instance

    @property
    def admin(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.data / "admin.json").read_bytes())
        return found

    def log_in(self, username: str, password: str) -> httpx.Response:
        body = {"username": username, "password": password}
        return httpx.post(f"{self.instance.rest_url}/users/tokens/issue", json=body)

    def as_admin(self, token: str) -> Call:
        headers = {"Authorization": f"Bearer {token}"}
        return lambda method, path, **rest: httpx.request(
            method, self.instance.rest_url + path, headers=headers, **rest
        )

    def kill(self) -> None:
        os.kill(self.instance.pid, signal.SIGKILL)
        eventually(lambda: status(self.data) is None)


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[list[Replica]]:
    """Two that were started at the same moment, on an empty database."""
    folders = [tmp_path_factory.mktemp("replicas") / name for name in ("first", "second")]
    url = make_database(postgres_url)
    with ThreadPoolExecutor() as pool:
        yield [*pool.map(lambda data: Replica(data, start(data, database_url=url)), folders)]
    for data in folders:
        stop(data)


def test_replicas_that_start_at_once_have_one_authority_one_administrator_and_one_key(
    replicas: list[Replica],
) -> None:
    first, second = replicas
    for name in ("ca.pem", "ca-key.pem", "signing-key"):
        assert (first.data / name).read_bytes() == (second.data / name).read_bytes(), name
    assert (first.data / "signing-key").stat().st_mode & 0o777 == 0o600
    assert second.admin["password"] == first.admin["password"]
    token = first.log_in("admin", first.admin["password"]).json()["access_token"]
    made = first.as_admin(token)("POST", "/auth/domains", json={"name": "shared"})
    found = second.as_admin(token)("GET", f"/auth/domains/{made.json()['id']}")
    assert found.json() == made.json()


def test_a_download_token_serves_once_whichever_replica_is_asked(replicas: list[Replica]) -> None:
    first, second = replicas
    token = first.log_in("admin", first.admin["password"]).json()["access_token"]
    calls = [replica.as_admin(token) for replica in (first, second)]

    def use(call: Call, download: str) -> int:
        return call("GET", "/certs/certs/download-ca", params={"token": download}).status_code

    with ThreadPoolExecutor() as pool:
        for _ in range(10):
            download = calls[0]("GET", "/certs/certs/get-ca/token").json()["token"]
            assert sorted(pool.map(use, calls, [download] * 2)) == [200, 401]


def test_failed_logins_count_at_every_replica_and_outlast_a_restart(replicas: list[Replica]) -> None:
    first, second = replicas
    tried = [
        replica.log_in("ada", "wrong password").status_code
        for replica in (first, second) * (LoginBrake.ATTEMPTS // 2)
    ]
    assert set(tried) == {401}
    assert [replica.log_in("ada", "any").status_code for replica in (first, second)] == [429, 429]
    stop(second.data)
    again = Replica(second.data, start(second.data))
    assert again.log_in("ada", "any").status_code == 429


def test_a_lost_administrators_file_comes_back_with_the_shared_password(replicas: list[Replica]) -> None:
    first, second = replicas
    stop(second.data)
    (second.data / "admin.json").unlink()
    start(second.data)
    assert second.admin["password"] == first.admin["password"]


def test_a_folder_of_another_instance_is_refused_and_keeps_its_keys(
    replicas: list[Replica], tmp_path: Path
) -> None:
    data = tmp_path / "another"
    start(data)
    stop(data)
    key = (data / "ca-key.pem").read_bytes()
    url = json.loads((replicas[0].data / "config.json").read_bytes())["database_url"]
    with pytest.raises(StartFailure, match="keys of another instance"):
        start(data, database_url=url)
    assert (data / "ca-key.pem").read_bytes() == key


@pytest.fixture
def elsewhere(live: Live) -> Iterator[str]:
    """Where agents reach another replica than the one whose REST side is asked."""
    with live.replica() as address:
        yield address


@ON_POSTGRES
def test_an_agent_hears_of_what_was_asked_at_another_replica(
    live: Live, connect: Connect, elsewhere: str
) -> None:
    cvm, agent = live.ready_cvm(connect, address=elsewhere)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    assert agent.manifest().id == computation
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    live.ada.ok("GET", f"{live.lab.computations}/{computation}/stop")
    agent.wait(lambda agent: agent.stops)
    live.ada.ok("DELETE", f"{live.lab.cvms}/{cvm}")
    assert agent.wait(lambda agent: agent.ended) == (DENIED, f"cvm is inactive: {cvm}")
    assert len(agent.manifests) == 1


@ON_POSTGRES
def test_a_revoked_certificate_ends_the_stream_at_another_replica(
    live: Live, connect: Connect, elsewhere: str
) -> None:
    cvm, agent = live.ready_cvm(connect, address=elsewhere)
    (certificate,) = live.ada.ok("GET", live.lab.certs, params={"entity_id": cvm})["certificates"]
    live.ada.ok("PATCH", f"{live.lab.certs}/{certificate['serial_number']}/revoke")
    code, reason = agent.wait(lambda agent: agent.ended)
    assert (code, reason) == (DENIED, f"certificate is revoked: {certificate['serial_number']}")


@ON_POSTGRES
def test_what_was_told_while_nobody_listened_is_looked_up(
    live: Live, connect: Connect, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cvm, agent = live.ready_cvm(connect, address=elsewhere)
    with monkeypatch.context() as untold:
        untold.setattr(notices, "tell", lambda *_: None)
        live.ada.ok("DELETE", f"{live.lab.cvms}/{cvm}")
    assert agent.ended is None
    with live.prism.database.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE left(query, 6) = 'LISTEN'"
        )
    assert agent.wait(lambda agent: agent.ended) == (DENIED, f"cvm is inactive: {cvm}")


@ON_POSTGRES
def test_a_notice_of_a_newer_version_is_passed_over(live: Live, connect: Connect, elsewhere: str) -> None:
    cvm, agent = live.ready_cvm(connect, address=elsewhere)
    with live.prism.database.writing() as session:
        for payload in ('["a new subject", "x"]', "{}", "no JSON"):
            session.connection().exec_driver_sql("SELECT pg_notify('prism_agents', %s)", (payload,))
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    assert agent.manifest().id == computation


def beat_of(live: Live, cvm: str) -> int:
    with live.prism.database.reading() as session:
        return cvms.beats(session)[cvm]


@ON_POSTGRES
def test_a_cvm_stays_online_while_its_agent_is_connected_to_any_replica(
    live: Live, connect: Connect, elsewhere: str
) -> None:
    cvm, agent = live.ready_cvm(connect)
    agent.close()
    connect(cvm, address=elsewhere)
    live.wait_for_cvm(cvm, status="online")
    live.stop()
    live.start()  # another look from the beginning, by a process that holds no stream
    three_graces = 15  # a beat is counted five times in one
    before = beat_of(live, cvm)
    eventually(lambda: beat_of(live, cvm) >= before + three_graces)
    assert live.cvm(cvm)["status"] == "online"
    changes = live.ada.ok("GET", f"{live.lab.cvms}/{cvm}/statistics")["cvm_stats"]
    assert [change["status"] for change in changes] == [True]


@ON_POSTGRES
def test_a_cvm_whose_replica_is_gone_is_marked_offline_by_another(live: Live, connect: Connect) -> None:
    with live.replica() as elsewhere:
        cvm, agent = live.ready_cvm(connect, address=elsewhere)
    agent.close()
    live.wait_for_cvm(cvm, status="offline")


@dataclass
class Pair:
    """A scene at one replica, and the same by way of another."""

    here: Scene
    there: Scene
    killed: Replica
    control: tuple[str, str]


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    url = make_database(postgres_url)
    second = tmp_path / "second" / "backend"
    with opened(tmp_path / "first", database_url=url) as here:
        other = start(second, database_url=url)
        with httpx.Client(base_url=other.rest_url) as client:
            control = (here.instance.control_address, other.control_address)
            yield Pair(here, here.elsewhere(client), Replica(here.data, here.instance), control)
        stop(second)


@pytest.fixture
def started(pair: Pair) -> Iterator[Callable[[str], Vm]]:
    """Starts the VM of a run behind an address of the control stream."""
    vms: list[Vm] = []

    def start_vm(address: str) -> Vm:
        vms.append(pair.here.vm(address))
        return vms[-1]

    yield start_vm
    for vm in vms:
        vm.end()


@pytest.mark.parametrize("moment", ["ReceivingAlgorithm", "Running"])
def test_a_run_goes_on_when_the_replica_of_its_agent_is_killed(
    pair: Pair, started: Callable[[str], Vm], moment: str
) -> None:
    algorithm = SLOW if moment == "Running" else ALGORITHM
    with relay(*pair.control) as balancer:
        vm = started(balancer)
        pair.here.wait_for_state(vm, "ReceivingManifest")
        computation = pair.here.computation(algorithm)
        run = pair.here.lab.run(computation, vm.cvm)
        pair.there.wait_for_state(vm, "ReceivingAlgorithm")
        if moment == "Running":
            pair.there.upload(vm, algorithm)
            pair.there.wait_for_state(vm, "Running")
        pair.killed.kill()
        if moment != "Running":
            pair.there.upload(vm)
        ended = pair.there.wait_for_run(computation, "completed")
        assert (ended["id"], ended["number"]) == (run, 1)
        assert pair.there.result(vm) == b"a,b\n"
        pair.there.wait_for_state(vm, "Complete")
    assert pair.there.events(computation) == EVENTS_OF_A_RUN
    runs = pair.there.root.ok("GET", f"{pair.there.lab.computations}/runs")
    assert runs["total"] == 1


def test_people_go_on_behind_a_balancer_when_a_replica_is_killed(pair: Pair) -> None:
    rest = [urlsplit(str(scene.root.client.base_url)).netloc for scene in (pair.here, pair.there)]
    admin = pair.killed.admin
    credentials = PasswordCredentials(admin["username"], admin["password"])
    with relay(*rest) as balancer, PrismClient(f"http://{balancer}", credentials) as client:
        computations = client.workspace(pair.here.lab.id).computations
        made = []
        for number in range(12):
            if number == 4:
                os.kill(pair.killed.instance.pid, signal.SIGKILL)
            made.append(computations.create(name=f"c{number}", description="d", idempotency_key=f"k{number}"))
        assert sorted(item.id for item in computations.list()) == sorted(made)


def test_a_run_that_was_accepted_is_delivered_once_though_its_replica_is_killed_at_once(
    pair: Pair, started: Callable[[str], Vm]
) -> None:
    vm = started(pair.control[1])
    pair.here.wait_for_state(vm, "ReceivingManifest")
    computation = pair.here.computation(ALGORITHM)
    path = f"{pair.here.lab.computations}/{computation}/run"
    rest: dict[str, Any] = {"params": {"cvm": vm.cvm}, "headers": {"Idempotency-Key": "run-1"}}
    run = pair.here.root.ok("POST", path, **rest)
    pair.killed.kill()
    # Whoever did not hear the answer asks again.
    assert pair.there.root.ok("POST", path, **rest) == run
    pair.there.wait_for_state(vm, "ReceivingAlgorithm")
    pair.there.upload(vm)
    assert pair.there.wait_for_run(computation, "completed")["id"] == run
    assert pair.there.events(computation)[:6] == EVENTS_OF_A_RUN[:6]
