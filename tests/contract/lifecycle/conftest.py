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
from tests.contract.lifecycle.stage import ADA, GRACE, Stage

ADDITION = """
from pathlib import Path

(dataset,) = Path("datasets").iterdir()
Path("results").mkdir(exist_ok=True)
Path("results/sum.txt").write_text(str(sum(int(line) for line in dataset.read_text().split())))
"""


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a running embedded backend."""
    data = tmp_path_factory.mktemp("lifecycle") / "data"
    start_embedded(data).close()
    yield data
    hypervisor = open_hypervisor(VmProvider.LOCAL, data=data)
    for vm in hypervisor.list():
        hypervisor.remove(vm.id)
    command = [sys.executable, "-m", "prism_iac.cli", "backend", "down", "--data", str(data / "backend")]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def stage(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A deployment in a workspace of its own, run from an empty folder."""
    monkeypatch.chdir(tmp_path)
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    yield stage
    stage.session.close()


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.txt"
    path.write_text("1\n2\n39\n")
    return path


@pytest.fixture
def addition(tmp_path: Path) -> Path:
    path = tmp_path / "addition.py"
    path.write_text(ADDITION)
    return path


@pytest.fixture
def vm(stage: Stage) -> Iterator[Live[ConfidentialVM]]:
    """A VM that is ready."""
    vm = stage.create("ConfidentialVM", "trainer")
    yield vm
    stage.delete(vm)


@pytest.fixture
def runnable(stage: Stage, numbers: Path, addition: Path) -> Live[Computation]:
    """A computation with its assets, roles and keys."""
    computation = stage.computation(
        algorithm=stage.algorithm(addition).id,
        datasets=[stage.dataset(numbers).id],
        result_consumers=[ADA],
    )
    stage.register_keys(computation, ADA, GRACE)
    return computation
