"""The real managers of Cocos through our client, and the real `cocos-cli` with our manager.

`COCOS_BIN` names a folder with a folder per version, such as `v0.10.2/`, with the programs `manager` and `cli`. A
script that sleeps stands in for QEMU (cocos-grpc.md section 11.6).
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from prism_iac.hypervisor.cocos import CocosManager, ManagerAccess
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority
from tests.contract.agent.vm import free_port
from tests.contract.hypervisor.manager_cases import ManagerCases
from tests.contract.hypervisor.managers import own_manager

FOLDER = os.environ.get("COCOS_BIN", "")
VERSIONS = sorted(path.parent for path in Path(FOLDER).glob("*/manager")) if FOLDER else []
PATIENCE_SECONDS = 30.0

pytestmark = pytest.mark.skipif(not VERSIONS, reason="COCOS_BIN names no folder with managers of Cocos")


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def programs(request: pytest.FixtureRequest) -> Path:
    """The folder of each version in turn."""
    folder: Path = request.param
    return folder


class RealManager:
    """A manager of Cocos as a process."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.access = ManagerAccess(f"127.0.0.1:{free_port()}")
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        (folder / "vars.fd").write_bytes(b"")
        stand_in = folder / "qemu"
        stand_in.write_text("#!/bin/sh\nexec sleep 600\n")
        stand_in.chmod(0o755)

    def start(self) -> None:
        port = self.access.address.rpartition(":")[2]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "MANAGER_GRPC_HOST": "127.0.0.1",
            "MANAGER_GRPC_PORT": port,
            "MANAGER_HTTP_PORT": str(free_port()),
            "MANAGER_MAX_VMS": "2",
            "MANAGER_QEMU_BIN_PATH": str(self.folder / "qemu"),
            "MANAGER_QEMU_SMP_COUNT": "2",
            "MANAGER_QEMU_ENABLE_KVM": "false",
            "MANAGER_QEMU_OVMF_VARS_FILE": str(self.folder / "vars.fd"),
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.program], cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        with grpc.insecure_channel(self.access.address) as channel:
            grpc.channel_ready_future(channel).result(timeout=PATIENCE_SECONDS)

    def end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=PATIENCE_SECONDS)

    def end_vms(self) -> None:
        """End what the manager left: it has no list, so the stand-ins are found by what they are."""
        for state in Path("/tmp/cocos").glob("*.json"):  # noqa: S108  # where a manager keeps its VMs
            if str(self.folder) in state.read_text():
                state.unlink()
        for path in Path("/proc").iterdir():
            try:
                is_ours = (
                    path.name.isdigit()
                    and f"HOME={self.folder}\0".encode() in (path / "environ").read_bytes()
                )
            except OSError:
                continue
            if is_ours:
                os.kill(int(path.name), 9)


@pytest.fixture
def real(programs: Path, tmp_path: Path) -> Iterator[RealManager]:
    manager = RealManager(programs / "manager", tmp_path / "manager")
    try:
        manager.start()
        yield manager
        manager.end()
    finally:
        manager.end_vms()


class TestRealManager(ManagerCases):
    """The cases of every manager."""

    @pytest.fixture
    def access(self, real: RealManager) -> ManagerAccess:
        return real.access

    @pytest.fixture
    def restart(self, real: RealManager) -> Callable[[], None]:
        def restart() -> None:
            real.end()
            real.start()

        return restart


def test_the_real_command_line_makes_and_removes_a_vm_of_our_manager(programs: Path, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    key = KeySpec(algorithm=KeyAlgorithm.ECDSA)
    now = datetime.now(UTC)
    ca.write_bytes(Authority.create("Test CA", key=key, now=now, validity=timedelta(days=1)).certificate_pem)
    with own_manager(tmp_path / "manager") as manager:

        def say(*arguments: str) -> str:
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "MANAGER_GRPC_URL": manager.address,
                # Without an agent to talk to, this CA lets versions from 0.9 on go on to the manager.
                "AGENT_GRPC_SERVER_CA_CERTS": str(ca),
                "AGENT_GRPC_URL": f"127.0.0.1:{free_port()}",
            }
            ended = subprocess.run(
                [programs / "cli", *arguments],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                check=False,
            )
            return (ended.stdout + ended.stderr).decode()

        said = say("create-vm", "--server-url", "127.0.0.1:9", "--ttl", "1h30m")
        made = re.search(r"created successfully with id (\S+) and port (\d+)", said)
        assert made, said
        assert manager.vms() == [made[1]]
        with CocosManager(ManagerAccess(manager.address)) as client:
            assert client.exists(made[1])
        end = datetime.fromisoformat((manager.data / "ends" / made[1]).read_text())
        assert abs(end.timestamp() - time.time() - 5400) < 600
        assert "Virtual machine removed successfully" in say("remove-vm", made[1])
        assert manager.vms() == []
