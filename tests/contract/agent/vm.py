"""A VM for tests: a real agent process with its folder, and what a computation needs."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prism_iac.agent import ClientTls
from prism_iac.pki import KeyPair, parse_public_key
from prism_iac.wire.cvms_pb2 import AgentConfig, Algorithm, ComputationRunReq, Dataset, ResultConsumer
from tests.contract.agent.control import PATIENCE_SECONDS

PLAIN = ClientTls()

MEASURING = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
"""What `make coverage` tells processes by, which otherwise get none of this process's variables."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Vm:
    """One agent process."""

    folder: Path
    control_url: str
    certificates: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def packages(self) -> Path:
        """Where its installer finds packages; no other folder of this machine is open to it."""
        return self.folder / "packages"

    @property
    def console(self) -> Path:
        return self.folder / "console.log"

    def start(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        self.packages.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "AGENT_CVM_GRPC_URL": self.control_url,
            "AGENT_CVM_ID": "vm-1",
            "AGENT_LISTEN": self.address,
            "AGENT_STATE_DIR": str(self.folder),
            "AGENT_LOG_LEVEL": "debug",
            "PIP_FIND_LINKS": str(self.packages),
            "AGENT_SECRET_CANARY": "canary-in-the-environment",
            **self.certificates,
            **self.extra,
            **MEASURING,
        }
        with self.console.open("ab") as console:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "prism_iac.agent"],
                cwd=self.work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def terminate(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


def processes_in(folder: Path, word: str = "") -> list[int]:
    """The living processes that work below a folder and have a word on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                is_below = (entry / "cwd").readlink().is_relative_to(folder)
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if is_below and word.encode() in command:
                found.append(int(entry.name))
    return found


def digest(data: bytes) -> bytes:
    return hashlib.sha3_256(data).digest()


def manifest(
    key: KeyPair,
    algorithm: bytes,
    datasets: Sequence[tuple[str, bytes]] = (),
    *,
    id_: str = "c-1",
    config: AgentConfig | None = None,
) -> ComputationRunReq:
    """A run request in which one key has every role."""
    der = parse_public_key(key.public_pem)
    return ComputationRunReq(
        id=id_,
        name="test",
        algorithm=Algorithm(hash=digest(algorithm), userKey=der),
        datasets=[Dataset(hash=digest(data), userKey=der, filename=name) for name, data in datasets],
        result_consumers=[ResultConsumer(userKey=der)],
        agent_config=config,
    )
