"""`prism-iac validate` in a process of its own, where a socket or a child process ends it at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.spec.conftest import Workplace
from tests.unit.spec.test_broken import CASES

CAUGHT = 77
GUARD = f"""\
import os, sys

FORBIDDEN = ("socket.", "subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", "os.exec")

def watch(event, arguments):
    if event.startswith(FORBIDDEN):
        sys.stderr.write(f"caught {{event}} {{arguments}}\\n")
        sys.stderr.flush()
        os._exit({CAUGHT})

sys.addaudithook(watch)
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the network and other processes are out of reach, and there is no home."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD)
    kept = {name: value for name, value in os.environ.items() if name != "HOME"}
    return {**kept, "PYTHONPATH": str(folder)}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def validate(environment: dict[str, str], *files: str) -> subprocess.CompletedProcess[str]:
    return run(environment, "-m", "prism_iac.cli", "validate", *files)


@pytest.mark.parametrize("act", ["import socket; socket.socket()", "import os; os.system('true')"])
def test_the_guard_catches(act: str, guarded: dict[str, str]) -> None:
    assert run(guarded, "-c", act).returncode == CAUGHT


@pytest.mark.parametrize(
    "name", ["duplicate-computation", "mistakes-in-two-files", "public-keys", "everything-at-once"]
)
def test_findings_are_printed_and_the_exit_code_is_1(
    name: str, guarded: dict[str, str], workplace: Workplace
) -> None:
    (case,) = (case for case in CASES if case.name.partition("-")[2] == name)
    folder = workplace(case)
    result = validate(guarded, "stack.yaml")
    expected = (case / "expected.txt").read_text(encoding="utf-8").replace("FOLDER", str(folder))
    assert (result.returncode, result.stdout, result.stderr) == (1, "", expected)


def test_every_broken_file_is_told_in_one_run_without_network_or_backend(
    guarded: dict[str, str], workplace: Workplace, tmp_path: Path
) -> None:
    workplace()
    for case in CASES:
        for file in case.rglob("*"):
            target = tmp_path / case.name / file.relative_to(case)
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.is_file():
                target.write_bytes(file.read_bytes())
        for shared in ("keys", "certs"):
            (tmp_path / case.name / shared).symlink_to(tmp_path / shared)
    result = validate(guarded, *(f"{case.name}/stack.yaml" for case in CASES))
    assert result.returncode == 1
    for case in CASES:
        told = sum(line.startswith(f"{case.name}/") for line in result.stderr.splitlines())
        findings = (case / "expected.txt").read_text(encoding="utf-8").splitlines()
        assert told == sum(not line.startswith(" ") for line in findings), case.name


def test_a_file_without_mistakes_gives_exit_code_0(guarded: dict[str, str], workplace: Workplace) -> None:
    workplace(**{"stack.yaml": "environment: dev\nworkspace: research\n"})
    result = validate(guarded, "stack.yaml")
    assert (result.returncode, result.stdout, result.stderr) == (0, "stack.yaml: nothing is wrong\n", "")


def test_the_demonstration_stack_is_fine_once_the_keys_are_there(
    guarded: dict[str, str], workplace: Workplace
) -> None:
    root = Path(__file__).parents[3]
    folder = workplace()
    inputs = folder / "examples" / "iris"
    inputs.mkdir(parents=True)
    for name in ("iris.csv", "lin_reg.py"):
        (inputs / name).write_bytes((root / "examples" / "iris" / name).read_bytes())
    (folder / "keys").rename(inputs / "keys")
    (folder / "stacks").mkdir()
    for name in ("base.yaml", "dev.yaml"):
        (folder / "stacks" / name).write_bytes((root / "stacks" / name).read_bytes())
    result = validate(guarded, "stacks/dev.yaml")
    assert (result.returncode, result.stderr) == (0, "")
