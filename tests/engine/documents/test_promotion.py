"""The way from dev to production as the guide tells it, in a copy of the checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prism_iac.pki import Envelope
from prism_iac.testing.faults import end_processes_of
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell

GUIDE = ROOT / "docs" / "promotion.md"
COMMANDS = [block.text for block in blocks_of(GUIDE) if block.language == "sh"]
# Between the blocks, so that each is looked at before the next changes it.
LOOK = "pulumi stack export --stack dev > .prism/dev-state.json"


@dataclass(frozen=True)
class Walk:
    """What each block printed, found by a part of its text, and the folder as the walk left it."""

    folder: Path
    said: list[str]

    def of(self, part: str) -> str:
        (found,) = (said for said, text in zip(self.said, COMMANDS, strict=True) if part in text)
        return found


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = copy_checkout(tmp_path_factory.mktemp("promotion") / "prism-iac")
    looked = [f"{text}{LOOK}\n" if "manifest render" in text else text for text in COMMANDS]
    try:
        yield Walk(folder, run_in_one_shell(looked, folder))
    finally:
        end_processes_of(folder)


def test_a_manifest_that_was_rendered_before_is_what_prism_returns(walk: Walk) -> None:
    rendered = (walk.folder / ".prism" / "rendered.json").read_text().strip()
    state = json.loads((walk.folder / ".prism" / "dev-state.json").read_text())
    (run,) = (
        item["outputs"]
        for item in state["deployment"]["resources"]
        if item["type"].endswith(":ComputationRun")
    )
    assert run["manifest_sha3_256"] == walk.of("manifest render").splitlines()[-1]
    assert json.loads(rendered)["id"] == run["computation"]


def test_files_that_the_lock_does_not_say_are_refused_with_both_sides(walk: Walk) -> None:
    refused = walk.of('"""Revised')
    for pin in ("assets.lin-reg.sha3_256", "computations.iris-regression.manifest_sha3_256"):
        assert f"{pin}: the lock says " in refused
    assert "run `prism-iac lock --stack stacks/dev.yaml`" in refused


def test_the_plan_names_what_follows_from_the_change(walk: Walk) -> None:
    assert "lin-reg" in walk.of("prism-iac plan")


def test_what_never_completed_a_run_goes_nowhere(walk: Walk) -> None:
    refused = walk.of("! prism-iac promote dev staging")
    assert "has not completed a run: run #2 is running as far as the state knows" in refused


def test_what_ran_goes_on_and_the_record_says_why(walk: Walk) -> None:
    promoted = walk.of("\nprism-iac promote verify --stack stacks/staging.yaml")
    assert "research-staging" in promoted
    assert "iris-regression: proven by run #2" in promoted
    path = walk.folder / "stacks/promotions/staging/0001-from-dev.json"
    statement = json.loads(Envelope.parse(path.read_bytes()).payload)
    assert statement["predicate"]["promoted_by"] == "grace"
    assert "12 created" in walk.of("take_part staging")


def test_production_opens_with_two_of_three(walk: Walk) -> None:
    assert "Bring it with `prism-iac promote`" in walk.of("cat >> stacks/prod.yaml")
    approving = walk.of("promote staging prod")
    assert "grace promoted it, and nobody approves what is their own" in approving
    assert "ada approves; 1 of 2: ada" in approving
    assert "it takes 2 approvals, and these are there: ada" in approving
    assert "rosa approves; 2 of 2: ada, rosa" in approving
    assert approving.index("rosa approves") < approving.index("12 created")
