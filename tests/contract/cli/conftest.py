from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from prism_iac.hypervisor import open_hypervisor
from prism_iac.lifecycle import Live
from prism_iac.model import VmProvider
from prism_iac.model.resources import Computation, ConfidentialVM
from prism_iac.prism import start_embedded
from tests.contract.cli.command_line import CommandLine, SameProcess
from tests.contract.lifecycle.conftest import ADDITION
from tests.contract.lifecycle.stage import ADA, Stage


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a running embedded backend."""
    data = tmp_path_factory.mktemp("cli") / "data"
    start_embedded(data).close()
    yield data
    hypervisor = open_hypervisor(VmProvider.LOCAL, data=data)
    for vm in hypervisor.list():
        hypervisor.remove(vm.id)
    command = [sys.executable, "-m", "prism_iac.cli", "backend", "down", "--data", str(data / "backend")]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def stage(data: Path) -> Iterator[Stage]:
    """What a stack update would do, in a workspace of its own."""
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    yield stage
    stage.session.close()


@pytest.fixture
def line(stage: Stage, data: Path, tmp_path: Path) -> CommandLine:
    """The command line in that workspace, run from an empty folder."""
    stage.session.workspace(stage.workspace_name)
    folder = tmp_path / "here"
    folder.mkdir()
    return CommandLine(folder, {"PRISM_IAC_DATA": str(data), "PRISM_WORKSPACE": stage.workspace_name})


@pytest.fixture
def quick(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SameProcess:
    """The same command line within this process."""
    return SameProcess(line.folder, line.variables, patch=monkeypatch, captured=capsys)


@pytest.fixture
def numbers(line: CommandLine) -> Path:
    path = line.folder / "numbers.txt"
    path.write_text("1\n2\n39\n")
    return path


@pytest.fixture
def addition(line: CommandLine) -> Path:
    path = line.folder / "addition.py"
    path.write_text(ADDITION)
    return path


@pytest.fixture
def vm(stage: Stage) -> Iterator[Live[ConfidentialVM]]:
    """A VM that is ready."""
    vm = stage.create("ConfidentialVM", "trainer")
    yield vm
    stage.delete(vm)


@pytest.fixture
def computation(stage: Stage, numbers: Path, addition: Path) -> Live[Computation]:
    """A computation with its assets and roles; nobody has registered a key."""
    return stage.computation(
        algorithm=stage.algorithm(addition).id,
        datasets=[stage.dataset(numbers).id],
        result_consumers=[ADA],
    )
