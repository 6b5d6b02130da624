"""A platform repository elsewhere, and a look at what its stack has at the embedded backend."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls
from prism_iac.hypervisor import Vm, open_hypervisor
from prism_iac.model import AgentState, VmProvider
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair
from prism_iac.prism import Embedded, PrismClient, Workspace, find_embedded, start_embedded
from prism_iac.testing.faults import command_of, processes_of
from tests.engine.project import Project
from tests.engine.provider.gate import Gate

T = TypeVar("T")

ADA: Final = "ada@example.com"
GRACE: Final = "grace@example.com"
WORKSPACE: Final = "research"
PATIENCE_SECONDS: Final = 30.0

ADDITION: Final = """
from pathlib import Path

(dataset,) = Path("datasets").iterdir()
Path("results").mkdir(exist_ok=True)
Path("results/sum.txt").write_text(str(sum(int(line) for line in dataset.read_text().split())))
"""


class PlatformRepo:
    """A project that uses the package as anybody's would, with the files and keys of two participants.

    Attributes:
        project: The Pulumi project.
        data: The data folder of its embedded backend and its local VMs.
        keys: The participants' keys by user.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.data = project.folder / ".prism"
        self.numbers = project.write("numbers.txt", "1\n2\n39\n")
        self.addition = project.write("addition.py", ADDITION)
        self.keys: dict[str, KeyPair] = {}
        for user in (ADA, GRACE):
            self.keys[user] = generate_key_pair(KeyAlgorithm.ED25519)
            name = user.partition("@")[0]
            project.write(f"{name}.pub.pem", self.keys[user].public_pem.decode())
        project.set_config("prism:workspace", WORKSPACE)

    @property
    def backend(self) -> Embedded | None:
        """The embedded backend while it answers."""
        return find_embedded(self.data)

    @contextmanager
    def workspace(self, user: str | None = None) -> Iterator[Workspace]:
        """The workspace as a participant sees it; as the administrator does when none is named."""
        backend = self.backend
        assert backend is not None, "no backend answers"
        with backend:
            credentials = backend.accounts.ensure_user(user) if user else backend.accounts.admin
            domain = backend.accounts.ensure_workspace(WORKSPACE)
            with PrismClient(backend.endpoint, credentials) as client:
                yield client.workspace(domain.id)

    def look(self, see: Callable[[Workspace], T], user: str | None = None) -> T:
        """What somebody sees in the workspace."""
        with self.workspace(user) as workspace:
            return see(workspace)

    def computations(self) -> list[str]:
        """The names of the computations."""
        return sorted(self.look(lambda workspace: [item.name for item in workspace.computations.list()]))

    def assets(self) -> list[str]:
        """The file names of the assets."""
        return sorted(self.look(lambda workspace: [item.file_name for item in workspace.assets.list()]))

    def vm_records(self) -> list[str]:
        """The ids of the VMs that Prism knows."""
        return sorted(self.look(lambda workspace: [item.id for item in workspace.cvms.list()]))

    def runs(self) -> list[str]:
        """The ids of the runs."""
        return sorted(self.look(lambda workspace: [item.id for item in workspace.computations.runs()]))

    def vms(self) -> tuple[Vm, ...]:
        """The VMs of the local hypervisor."""
        return open_hypervisor(VmProvider.LOCAL, data=self.data).list()

    def plugins(self) -> list[int]:
        """The processes of the engine's plugins for resources, at either face."""
        marks = ("pulumi.dynamic", "pulumi-resource-prism")
        return [
            pid for pid in processes_of(self.project.folder) if any(mark in command_of(pid) for mark in marks)
        ]

    def kill_engine_at(
        self, gate: Gate, call: str, *, verb: str = "up", arguments: tuple[str, ...] = ()
    ) -> None:
        """Kill the engine after the backend has done a call and before the provider hears of it.

        The stack stays locked.
        """
        gate.hold_replies(call)
        running = self.project.start(verb, *arguments)
        running.until(lambda: bool(gate.held))
        assert self.plugins()
        running.kill()
        running.finish()
        # Nobody tells the plugin; it notices by itself, before it could go on.
        eventually(lambda: not self.plugins())
        gate.release()

    def prism_iac(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in the project's folder."""
        return subprocess.run(
            (sys.executable, "-m", "prism_iac.cli", *arguments),
            cwd=self.project.folder,
            env=self.project.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start_backend(self) -> None:
        """Start the backend before the provider does."""
        start_embedded(self.data).close()

    def stop_backend(self) -> None:
        """Stop the backend as a user does."""
        folder = str(self.data / "backend")
        command = [sys.executable, "-m", "prism_iac.cli", "backend", "down", "--data", folder]
        subprocess.run(command, check=True, capture_output=True)
        assert self.backend is None

    def upload(self, agent_address: str) -> None:
        """What the participants do once a run waits for them."""
        with AgentClient.connect(agent_address, tls=ClientTls()) as agent:
            agent.wait_until_serving(PATIENCE_SECONDS)
            agent.upload_algorithm(self.addition, self.keys[GRACE].private_pem, kind=AlgorithmKind.PYTHON)
            agent.upload_dataset(self.numbers, self.keys[ADA].private_pem)

    def fetch_result(self, agent_address: str) -> bytes:
        """What the consumer does once a run has ended; the VM is free afterwards."""
        archive = self.project.folder / "result.zip"
        with AgentClient.connect(agent_address, tls=ClientTls()) as agent:
            agent.fetch_result(self.keys[ADA].private_pem, archive)
        eventually(lambda: self.look(self._vms_are_free))
        return archive.read_bytes()

    @staticmethod
    def _vms_are_free(workspace: Workspace) -> bool:
        return all(vm.state is AgentState.COMPLETE for vm in workspace.cvms.list())


def eventually(look: Callable[[], T]) -> T:
    """The first true value of a look."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)
    return found
