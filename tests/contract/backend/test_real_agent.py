"""A real instance and the real agent: a whole run, a restart in its middle, and the removal of the VM."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls
from prism_iac.backend import Instance, start, stop
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair
from tests.contract.backend.live import PATIENCE_SECONDS, eventually
from tests.unit.backend.support import Person, Workspace

ALGORITHM = b'#!/bin/sh\nread first < datasets/north.csv\necho "$first" > results/out.txt\necho working\n'
FAILING = b"#!/bin/sh\necho no luck >&2\nexit 3\n"
DATASET = b"a,b\n1,2\n"
EVENTS_OF_A_RUN = [
    ("ReceivingAlgorithm", "InProgress"),
    ("ReceivingData", "InProgress"),
    ("Running", "Starting"),
    ("Running", "InProgress"),
    ("Running", "Completed"),
    ("ConsumingResults", "Ready"),
    ("Complete", "Completed"),
]


class AnyVm(Protocol):
    """A VM with an agent in it, ours or another's."""

    @property
    def cvm(self) -> str: ...
    @property
    def address(self) -> str: ...


@dataclass
class Scene:
    """An instance in the background, its administrator, and a workspace."""

    folder: Path
    instance: Instance
    root: Person
    lab: Workspace
    key: KeyPair

    @property
    def data(self) -> Path:
        return self.folder / "backend"

    def vm(self, control_address: str = "") -> Vm:
        cvm = self.lab.cvm()
        vm = Vm(self.folder / cvm, cvm)
        vm.start(control_address or self.instance.control_address, self.files_of(cvm))
        return vm

    def elsewhere(self, client: httpx.Client) -> Scene:
        """The same by way of another replica."""
        root = replace(self.root, client=client)
        return replace(self, root=root, lab=replace(self.lab, owner=root))

    def events(self, computation: str) -> list[tuple[str, str]]:
        """Type and status of each event, oldest first."""
        path = f"{self.lab.computations}/{computation}/events"
        found = self.root.ok("GET", path, params={"limit": 100})["events"][::-1]
        return [(event["event_type"], event["status"]) for event in found]

    def files_of(self, cvm: str) -> dict[str, bytes]:
        """What the agent of a CVM is given, PEM by name."""
        (certificate,) = self.root.ok("GET", self.lab.certs, params={"entity_id": cvm})["certificates"]
        path = f"{self.lab.certs}/{certificate['serial_number']}/download"
        token = self.root.ok("GET", f"{path}/token")["token"]
        files = self.root.ok("GET", path, params={"downloadToken": token})
        return {name: base64.b64decode(text) for name, text in files.items()}

    def computation(self, algorithm: bytes) -> str:
        """A computation whose every part is the administrator's."""
        name = f"c-{hashlib.sha256(algorithm).hexdigest()[:8]}"
        computation = self.lab.computation(name, agent_config={"log_level": "debug"})
        path = f"{self.lab.computations}/{computation}"
        (role,) = self.root.ok("GET", f"{path}/roles")["roles"]
        parts = ["algo_provider", "dataset_provider", "result_consumer"]
        self.root.ok("POST", f"{path}/roles/{role['id']}/actions", {"actions": parts})
        for kind, name, content in (("algorithm", "algo.sh", algorithm), ("dataset", "north.csv", DATASET)):
            checksum = hashlib.sha3_256(content).hexdigest()
            asset = self.lab.asset(self.root, kind, file_name=name, checksum=checksum)
            self.lab.link(self.root, asset, computation)
        self.root.ok("POST", f"{path}/key", {"key": self.key.public_pem.decode()})
        return computation

    def run_of(self, computation: str) -> dict[str, Any]:
        found: dict[str, Any] = self.root.ok("GET", f"{self.lab.computations}/{computation}/run")
        return found

    def wait_for_run(self, computation: str, status: str) -> dict[str, Any]:
        eventually(lambda: self.run_of(computation)["status"] == status)
        return self.run_of(computation)

    def wait_for_state(self, vm: AnyVm, state: str) -> None:
        path = f"{self.lab.cvms}/{vm.cvm}"
        eventually(lambda: self.root.ok("GET", path)["state"] == state)

    def upload(self, vm: AnyVm, algorithm: bytes = ALGORITHM) -> None:
        (self.folder / "algo.sh").write_bytes(algorithm)
        (self.folder / "north.csv").write_bytes(DATASET)
        with AgentClient.connect(vm.address, tls=ClientTls()) as client:
            client.wait_until_serving(PATIENCE_SECONDS)
            client.upload_algorithm(self.folder / "algo.sh", self.key.private_pem, kind=AlgorithmKind.BIN)
            client.upload_dataset(self.folder / "north.csv", self.key.private_pem)

    def result(self, vm: AnyVm) -> bytes:
        with AgentClient.connect(vm.address, tls=ClientTls()) as client:
            archive = client.fetch_result(self.key.private_pem, self.folder / "result.zip")
        return zipfile.ZipFile(archive).read("out.txt")


@dataclass
class Vm:
    """A real agent in a process."""

    folder: Path
    cvm: str
    process: subprocess.Popen[bytes] | None = None
    address: str = ""

    def start(self, control_address: str, files: dict[str, bytes]) -> None:
        (self.folder / "work").mkdir(parents=True)
        for name, content in files.items():
            (self.folder / f"{name}.pem").write_bytes(content)
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        environment = {
            "PATH": os.environ["PATH"],
            "AGENT_CVM_GRPC_URL": control_address,
            "AGENT_CVM_ID": self.cvm,
            "AGENT_CVM_GRPC_CLIENT_CERT": str(self.folder / "certificate.pem"),
            "AGENT_CVM_GRPC_CLIENT_KEY": str(self.folder / "private_key.pem"),
            "AGENT_CVM_GRPC_SERVER_CA_CERTS": str(self.folder / "ca.pem"),
            "AGENT_LISTEN": self.address,
            "AGENT_STATE_DIR": str(self.folder),
            "AGENT_LOG_LEVEL": "debug",
        }
        with (self.folder / "console.log").open("wb") as console:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "prism_iac.agent"],
                cwd=self.folder / "work",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_SECONDS)


@contextmanager
def opened(folder: Path, *, database_url: str = "") -> Iterator[Scene]:
    """An instance whose data lie in `backend` of a folder."""
    data = folder / "backend"
    instance = start(data, database_url=database_url)
    admin = json.loads((data / "admin.json").read_bytes())
    with httpx.Client(base_url=instance.rest_url) as client:
        body = {"username": admin["username"], "password": admin["password"]}
        token = client.post("/users/tokens/issue", json=body).json()["access_token"]
        profile = client.get("/users/profile", headers={"Authorization": f"Bearer {token}"})
        root = Person(client, profile.json()["id"], token, "admin")
        lab = Workspace(root, root.ok("POST", "/auth/domains", {"name": "lab"})["id"])
        yield Scene(folder, instance, root, lab, generate_key_pair(KeyAlgorithm.ED25519))
    stop(data)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(tmp_path) as scene:
        yield scene


@pytest.fixture
def vm(scene: Scene) -> Iterator[Vm]:
    vm = scene.vm()
    yield vm
    vm.end()


def test_a_run_gives_its_result_and_the_vm_takes_the_next_one(scene: Scene, vm: Vm) -> None:
    scene.wait_for_state(vm, "ReceivingManifest")
    record = scene.root.ok("GET", f"{scene.lab.cvms}/{vm.cvm}")
    assert (record["status"], record["agent_url"]) == ("online", vm.address)
    computation = scene.computation(ALGORITHM)
    scene.lab.run(computation, vm.cvm)
    scene.wait_for_state(vm, "ReceivingAlgorithm")
    scene.upload(vm)
    run = scene.wait_for_run(computation, "completed")
    assert run["agent_url"] == vm.address
    assert scene.result(vm) == b"a,b\n"
    scene.wait_for_state(vm, "Complete")
    path = f"{scene.lab.computations}/{computation}"
    assert scene.events(computation) == EVENTS_OF_A_RUN
    logs = scene.root.ok("GET", f"{path}/logs", params={"limit": 100, "message": "working"})["logs"]
    assert [log["level"] for log in logs] == ["debug"]
    failing = scene.computation(FAILING)
    scene.lab.run(failing, vm.cvm)
    # Until then the port of the run before may still answer.
    scene.wait_for_state(vm, "ReceivingAlgorithm")
    scene.upload(vm, FAILING)
    scene.wait_for_run(failing, "failed")
    errors = scene.root.ok("GET", f"{scene.lab.computations}/{failing}/logs", params={"level": "error"})[
        "logs"
    ]
    assert any("exit status 3" in log["message"] for log in errors)
    scene.lab.run(computation, vm.cvm)
    scene.wait_for_state(vm, "ReceivingAlgorithm")
    scene.upload(vm)
    assert scene.wait_for_run(computation, "completed")["number"] == 2


def test_a_restart_in_mid_run_loses_nothing(scene: Scene, vm: Vm) -> None:
    scene.wait_for_state(vm, "ReceivingManifest")
    computation = scene.computation(ALGORITHM)
    run = scene.lab.run(computation, vm.cvm)
    scene.wait_for_state(vm, "ReceivingAlgorithm")
    stop(scene.data)
    scene.upload(vm)  # the run goes on, and ends, while nobody listens
    start(scene.data)
    ended = scene.wait_for_run(computation, "completed")
    assert (ended["id"], ended["number"]) == (run, 1)
    assert scene.result(vm) == b"a,b\n"


def test_a_stop_frees_the_vm(scene: Scene, vm: Vm) -> None:
    scene.wait_for_state(vm, "ReceivingManifest")
    computation = scene.computation(ALGORITHM)
    scene.lab.run(computation, vm.cvm)
    scene.wait_for_state(vm, "ReceivingAlgorithm")
    scene.root.ok("GET", f"{scene.lab.computations}/{computation}/stop")
    assert scene.run_of(computation)["status"] == "cancelled"
    scene.wait_for_state(vm, "ReceivingManifest")
    scene.lab.run(computation, vm.cvm)
    scene.upload(vm)
    assert scene.wait_for_run(computation, "completed")["number"] == 2


def test_a_removed_vm_ends_by_itself(scene: Scene, vm: Vm) -> None:
    scene.wait_for_state(vm, "ReceivingManifest")
    assert scene.root.delete(f"{scene.lab.cvms}/{vm.cvm}").status_code == 204
    assert vm.process is not None
    assert vm.process.wait(PATIENCE_SECONDS) == 0


def test_a_vm_that_is_removed_with_results_drops_them_and_ends_by_itself(scene: Scene, vm: Vm) -> None:
    scene.wait_for_state(vm, "ReceivingManifest")
    computation = scene.computation(ALGORITHM)
    scene.lab.run(computation, vm.cvm)
    scene.upload(vm)
    scene.wait_for_run(computation, "completed")
    assert scene.root.delete(f"{scene.lab.cvms}/{vm.cvm}").status_code == 204
    assert vm.process is not None
    assert vm.process.wait(PATIENCE_SECONDS) == 0
    told = (vm.folder / "console.log").read_text(encoding="utf-8")
    stopped, disconnected, removed = map(
        told.index, ("the computation is stopped", "asked to disconnect", "the VM was removed")
    )
    assert stopped < disconnected < removed
