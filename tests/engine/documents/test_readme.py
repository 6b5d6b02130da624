"""Every command of the README, in its order, in a copy of the checkout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prism_iac.backend import EMPTY_SECONDS
from prism_iac.testing.faults import end_processes_of, processes_of
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell

README = ROOT / "README.md"
COMMANDS = [block.text for block in blocks_of(README) if block.language == "sh"]
UP = COMMANDS[0].replace("make test\n", "")  # which is what runs this
PATIENCE_SECONDS = 20
AGAIN = """
make up
. .prism/env.sh
pulumi preview --json
"""


@dataclass(frozen=True)
class Walk:
    """A reader's walk through the README.

    Attributes:
        folder: The copy of the checkout, as the walk left it.
        up: What the first `make up` printed.
        again: What a second one and a preview after it printed.
        rest: What every further block printed.
        result: The fitted line that `make up` brought.
        left_over: The processes that are left some time after the last command.
    """

    folder: Path
    up: str
    again: str
    rest: list[str]
    result: dict[str, object]
    left_over: list[int]


def left_over_of(folder: Path) -> list[int]:
    deadline = time.monotonic() + EMPTY_SECONDS + PATIENCE_SECONDS
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = copy_checkout(tmp_path_factory.mktemp("walk") / "prism-iac")
    try:
        up, again, kept, *rest = run_in_one_shell(
            [UP, AGAIN, "cat examples/iris/result/files/regression.json", *COMMANDS[1:]], folder
        )
        yield Walk(folder, up, again, rest, json.loads(kept), left_over_of(folder))
    finally:
        end_processes_of(folder)


def test_one_command_brings_the_numbers_that_the_algorithm_gives_by_hand(walk: Walk, tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "iris.csv").write_bytes((ROOT / "examples/iris/iris.csv").read_bytes())
    subprocess.run([sys.executable, ROOT / "examples/iris/lin_reg.py"], cwd=tmp_path, check=True)
    by_hand = json.loads((tmp_path / "results" / "regression.json").read_bytes())
    assert walk.result == by_hand
    assert walk.result["rows"] == 150
    assert (walk.folder / "examples/iris/result/files/regression.png").read_bytes().startswith(b"\x89PNG")
    assert "+ 12 created" in walk.up


def test_a_second_time_nothing_changes_and_says_so(walk: Walk) -> None:
    made, _, planned = walk.again.partition("End it: make down")
    assert "there is nothing to do" in made
    assert "12 unchanged" in made
    document = json.loads(planned[planned.index("{") :])
    assert document["changeSummary"] == {"same": 12}


def test_a_changed_vm_is_replaced_and_the_computation_runs_again(walk: Walk) -> None:
    changing = next(said for said, text in zip(walk.rest, COMMANDS[1:], strict=True) if "vcpus" in text)
    assert "vcpus: 2 => 4" in changing
    assert "run #2" in changing


def test_evidence_is_verified_before_anything_is_uploaded(walk: Walk) -> None:
    taking_part = next(said for said, text in zip(walk.rest, COMMANDS[1:], strict=True) if "verify" in text)
    assert "launch measurement" in taking_part
    assert "fail " not in taking_part
    assert taking_part.index("SIMULATED") < taking_part.index("uploaded the algorithm")


def test_nothing_is_left_in_the_end(walk: Walk) -> None:
    assert walk.left_over == []
    assert [path.name for path in (walk.folder / ".prism" / "vms").iterdir()] == [".locks"]
    (export,) = (walk.folder / ".prism" / "exports").glob("iris-regression-*.json")
    assert "Linear regression over the iris measurements" in export.read_text()


def test_the_picture_of_the_plan_is_what_the_preview_shows(walk: Walk) -> None:
    picture = next(block.text for block in blocks_of(README) if "Previewing update" in block.text)
    drawn = set(re.findall(r"^ \+  (\S+ \S+) create$", picture, re.MULTILINE))
    made = set(re.findall(r"^ \+  (\S+ \S+) creating\b", walk.up, re.MULTILINE))
    assert drawn == made
