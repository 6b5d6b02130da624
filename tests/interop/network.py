"""Machines that are nothing but namespaces: an address, `/run` and `/var/lib` of their own.

The programs of Cocos have fixed ports, sockets and folders (cocos-grpc.md section 11.1), so two agents share no
machine. Making namespaces takes root's rights, `ip`, `nsenter` and `unshare`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

_TOOLS = ("ip", "nsenter", "unshare")
_PREPARE = """
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && ip link set lo up && echo ready && exec sleep infinity
"""


def why_no_machines() -> str:
    """Why there can be no machines here; empty when there can."""
    if os.geteuid() != 0:
        return "namespaces of machines take root's rights"
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    return f"machines are made with {', '.join(missing)}, which is not here" if missing else ""


needs_machines = pytest.mark.skipif(bool(why_no_machines()), reason=why_no_machines())


@dataclass
class Network:
    """A bridge of this machine; its machines reach this one, and this one them."""

    number: int
    machines: list[Machine] = field(default_factory=list)

    @property
    def bridge(self) -> str:
        return f"prism{self.number}"

    @property
    def address(self) -> str:
        """This machine's."""
        return self.address_of(1)

    def address_of(self, host: int) -> str:
        return f"10.213.{self.number}.{host}"

    def machine(self, folder: Path) -> Machine:
        machine = Machine(self, len(self.machines) + 2, folder)
        self.machines.append(machine)
        machine.boot()
        return machine


@contextmanager
def network() -> Iterator[Network]:
    """A network that nobody else has, and nothing of it afterwards."""
    made = next(network for number in range(1, 255) if _made(network := Network(number)))
    try:
        _ip("address", "add", f"{made.address}/24", "dev", made.bridge)
        _ip("link", "set", made.bridge, "up")
        yield made
    finally:
        for machine in made.machines:
            machine.shut_down()
        _ip("link", "delete", made.bridge)


@dataclass
class Machine:
    """A machine in a network; what is started on it has the folder as its working directory."""

    network: Network
    number: int
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.network.address_of(self.number)

    def path(self, absolute: str) -> Path:
        """Where a path of the machine is on this one."""
        return Path(f"/proc/{self._pid}/root{absolute}")

    def boot(self) -> None:
        self.folder.mkdir(parents=True)
        isolated = ("unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _PREPARE)
        first = subprocess.Popen(
            isolated, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        self.processes.append(first)
        assert first.stdout is not None
        with first.stdout as said:
            assert said.readline() == b"ready\n"
        link = f"{self.network.bridge}m{self.number}"
        _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(self._pid))
        _ip("link", "set", link, "master", self.network.bridge, "up")
        within = ("nsenter", "-t", str(self._pid), "-n")
        for arguments in (
            ("address", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
        ):
            subprocess.run([*within, "ip", *arguments], check=True)

    def start(self, program: str | Path, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        name = Path(program).name
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self._enter(log, program, *arguments, **variables)
        self.processes.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End a process for good: some of the programs pass over SIGTERM."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def shut_down(self) -> None:
        for process in reversed(self.processes):
            self.end(process)

    def _enter(
        self, log: IO[bytes], program: str | Path, *arguments: str, **variables: str
    ) -> subprocess.Popen[bytes]:
        namespaces = ("nsenter", "-t", str(self._pid), "-n", "-m", "env", "-C", str(self.folder))
        return subprocess.Popen(
            [*namespaces, program, *arguments],
            env={"PATH": os.environ["PATH"], "TZ": "UTC", **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    @property
    def _pid(self) -> int:
        return self.processes[0].pid


def _made(network: Network) -> bool:
    command = ["ip", "link", "add", network.bridge, "type", "bridge"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
