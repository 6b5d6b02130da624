"""What participants wait for at the agent: the upload of a large dataset, and a result of the same size."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.figures import Figure, compare, seconds_of
from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls
from prism_iac.model import sha3_256_of_path
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair
from tests.contract.agent.control import Control, ControlServer
from tests.contract.agent.test_participants import peak_mib
from tests.contract.agent.vm import PLAIN, Vm, manifest
from tests.interop.cocos_cli import CocosCli
from tests.interop.network import Network, network, why_no_machines
from tests.interop.programs import Programs, find_programs
from tests.interop.vm import AGENT_PORT, CocosVm

__all__ = ["measure"]

_MIB: Final = 1024
_QUICK_MIB: Final = 64
_MIB_MORE_AT_MOST: Final = 64.0
_COPY: Final = b"#!/bin/sh\nmv datasets/* results/\n"
_DATASET: Final = "large.bin"
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class _Place:
    """An agent that awaits a manifest.

    Attributes:
        pid: Its process, where its memory is of interest.
    """

    control: Control
    address: str
    pid: int | None = None


@dataclass(frozen=True)
class _Times:
    upload: float
    result: float
    memory_mib: float


_Start: TypeAlias = Callable[[Path], AbstractContextManager[_Place]]


def measure(*, quick: bool) -> Iterator[Figure]:
    """Ours beside the newest agent of Cocos, with the command line of Cocos, where these programs are given."""
    size, rounds = (_QUICK_MIB, 1) if quick else (_MIB, 3)
    programs = find_programs()[-1:] if not why_no_machines() else []
    ours: list[_Times] = []
    theirs: list[_Times] = []
    for _ in range(rounds):
        if programs:
            with network() as net:
                ours.append(_exchange(_ours_on(net), size, programs[0]))
                theirs.append(_exchange(_theirs_on(net, programs[0]), size, programs[0]))
        else:
            ours.append(_exchange(_ours_here, size))
    for name in ("upload", "result"):
        seconds = [getattr(times, name) for times in ours]
        yield Figure(f"{name} of {size} MiB", "MiB/s", tuple(size / taken for taken in seconds))
        if theirs:
            beside = [getattr(times, name) for times in theirs]
            yield compare(f"{name} of {size} MiB beside Cocos {programs[0]}", seconds, beside, at_most=1.0)
    memory = tuple(times.memory_mib for times in ours)
    yield Figure(f"agent's memory more after {size} MiB", "MiB", memory, _MIB_MORE_AT_MOST)


def _exchange(start: _Start, size_mib: int, programs: Programs | None = None) -> _Times:
    """A whole run whose algorithm gives its dataset back."""
    key = generate_key_pair(KeyAlgorithm.ED25519)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent)
        _write_files(folder, key, size_mib)
        request = manifest(key, _COPY, [(_DATASET, b"")])
        request.datasets[0].hash = sha3_256_of_path(folder / _DATASET)
        with start(folder) as place:
            before = peak_mib(place.pid) if place.pid else 0
            place.control.send_manifest(request)
            assert place.control.wait_for_run_response() == ""
            with AgentClient.connect(place.address, tls=PLAIN) as client:
                client.wait_until_serving(_PATIENCE_SECONDS)
                client.upload_algorithm(folder / "algorithm", key.private_pem, kind=AlgorithmKind.BIN)
            do = _Theirs(folder, place.address, programs) if programs else _Ours(folder, place.address)
            upload = seconds_of(do.upload)
            place.control.wait_for_event("ConsumingResults", "Ready")
            result = seconds_of(do.fetch)
            after = peak_mib(place.pid) if place.pid else 0
        assert (folder / "results.zip").stat().st_size > size_mib << 20
        return _Times(upload, result, after - before)


def _write_files(folder: Path, key: KeyPair, size_mib: int) -> None:
    (folder / "algorithm").write_bytes(_COPY)
    (folder / "private.pem").write_bytes(key.private_pem)
    with (folder / _DATASET).open("wb") as file:
        file.truncate(size_mib << 20)


@dataclass(frozen=True)
class _Ours:
    """Our client."""

    folder: Path
    address: str

    def upload(self) -> None:
        with AgentClient.connect(self.address, tls=ClientTls()) as client:
            client.upload_dataset(self.folder / _DATASET, (self.folder / "private.pem").read_bytes())

    def fetch(self) -> None:
        with AgentClient.connect(self.address, tls=ClientTls()) as client:
            client.fetch_result((self.folder / "private.pem").read_bytes(), self.folder / "results.zip")


@dataclass(frozen=True)
class _Theirs:
    """`cocos-cli`."""

    folder: Path
    address: str
    programs: Programs

    def upload(self) -> None:
        assert "Successfully uploaded dataset!" in self._say("data", _DATASET, "private.pem")

    def fetch(self) -> None:
        assert "retrieved and saved successfully" in self._say("result", "private.pem")

    def _say(self, *arguments: str) -> str:
        return CocosCli(self.programs, self.folder, {"AGENT_GRPC_URL": self.address}).say(*arguments)


@contextmanager
def _control(host: str) -> Iterator[tuple[Control, ControlServer]]:
    control = Control()
    server = ControlServer(control, None, host)
    server.start()
    try:
        yield control, server
    finally:
        server.stop()


@contextmanager
def _ours_here(folder: Path) -> Iterator[_Place]:
    with _control("127.0.0.1") as (control, server):
        vm = Vm(folder / "vm", server.url)
        vm.start()
        try:
            control.wait_for_streams(1)
            yield _Place(control, vm.address, vm.pid)
        finally:
            vm.terminate()


def _ours_on(net: Network) -> _Start:
    @contextmanager
    def start(folder: Path) -> Iterator[_Place]:
        with _control(net.address) as (control, server):
            machine = net.machine(folder / "vm")
            address = f"{machine.address}:{AGENT_PORT}"
            process = machine.start(
                sys.executable,
                "-m",
                "prism_iac.agent",
                AGENT_CVM_GRPC_URL=server.url,
                AGENT_LISTEN=address,
                AGENT_STATE_DIR=str(machine.folder),
            )
            try:
                control.wait_for_streams(1)
                yield _Place(control, address, process.pid)
            finally:
                machine.shut_down()

    return start


def _theirs_on(net: Network, programs: Programs) -> _Start:
    @contextmanager
    def start(folder: Path) -> Iterator[_Place]:
        with _control(net.address) as (control, server):
            vm = CocosVm(programs, net.machine(folder / "vm"), "vm-1")
            try:
                vm.start(server.url, {})
                control.wait_for_streams(2 if programs.has_services else 1)
                yield _Place(control, vm.address)
            finally:
                vm.machine.shut_down()

    return start
