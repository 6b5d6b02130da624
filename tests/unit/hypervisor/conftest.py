from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prism_iac.attestation import SimulatedPlatform
from prism_iac.hypervisor import VmSpec
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.model import LogLevel, Platform
from prism_iac.model.resources import VmLimits

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
PATIENCE_SECONDS = 20.0

SPEC = VmSpec(
    id="5c2f2b7e-0a34-4d0b-8a1c-6f3f7d9b1e10",
    name="trainer-9c41d2e",
    platform=Platform.SEV_SNP,
    vcpus=2,
    agent_log_level=LogLevel.INFO,
    control_address="127.0.0.1:7018",
    control_ca=b"the CA",
    client_certificate=b"the certificate",
    client_key=b"the-secret-key",
    limits=VmLimits(memory_mib=512, processes=32, run_time="90s"),
)

STAND_IN = ("/bin/sh", "-c", 'echo up; read -r line <>"$HOME/../../never"')
"""What runs in place of an agent: one process, waiting for a pipe in the data folder that nobody writes to."""


def spec(vm_id: str) -> VmSpec:
    return replace(SPEC, id=vm_id, name=f"vm-{vm_id}")


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.005)


def processes_of(data: Path) -> set[int]:
    """Every living process that keeps its state below a data folder, by its environment."""
    mark = f"AGENT_STATE_DIR={data}/".encode()
    found = set()
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            # A zombie has no environment any more.
            if mark in (path / "environ").read_bytes():
                found.add(int(path.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="session")
def platform_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("platform")
    SimulatedPlatform.create(chip_id=b"c" * 64, now=NOW).save(folder)
    return folder


@pytest.fixture
def data(tmp_path: Path, platform_folder: Path) -> Iterator[Path]:
    """A data folder whose platform is made; nothing may be left running in it."""
    data = tmp_path / "data"
    shutil.copytree(platform_folder, data / "platform")
    os.mkfifo(data / "never")
    yield data
    hypervisor = LocalHypervisor(data, grace_seconds=0)
    for vm in hypervisor.list():
        hypervisor.remove(vm.id)
    assert processes_of(data) == set()


@pytest.fixture
def hypervisor(data: Path) -> LocalHypervisor:
    return LocalHypervisor(data, command=STAND_IN, now=lambda: NOW, grace_seconds=5)
