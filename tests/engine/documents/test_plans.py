"""The page on plans, in a copy of the checkout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prism_iac.plan import Plan, text_of
from prism_iac.testing.faults import end_processes_of
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell

PAGE = ROOT / "docs" / "plans.md"
BLOCKS = blocks_of(PAGE)
COMMANDS = [block.text for block in BLOCKS if block.language == "sh"]
LOOK = """
pulumi stack export --stack demo --show-secrets > .prism/demo-state.json
prism-iac plan --stack demo --format json > .prism/again.json
! PRISM_IAC_AT=2030-01-01T00:00:00+00:00 pulumi up --yes --skip-preview --stack demo
"""


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
    folder = copy_checkout(tmp_path_factory.mktemp("plans") / "prism-iac")
    (file,) = (block for block in BLOCKS if block.file_name)
    (folder / str(file.file_name)).write_text(file.text, encoding="utf-8")
    looked = [f"{text}{LOOK}" if "sed" in text else text for text in COMMANDS]
    try:
        yield Walk(folder, run_in_one_shell(looked, folder))
    finally:
        end_processes_of(folder)


def test_a_plan_of_a_new_stack_changes_nothing_and_lacks_nothing(walk: Walk) -> None:
    said = walk.of("stack init")
    assert "7 created; 0 unchanged" in said
    assert "create  Computation iris-regression" in said
    assert "Missing before a run" not in said


def test_what_was_agreed_to_is_done_once(walk: Walk) -> None:
    said = walk.of("--exit-code")
    assert "Plan for demo" in said
    assert said.splitlines()[-1].endswith("nothing to do; 7 unchanged")
    agreed = Plan.model_validate_json((walk.folder / ".prism" / "plan.json").read_bytes())
    assert all((agreed.world.state, agreed.world.stack_file, agreed.world.program, agreed.world.changes))


@pytest.mark.fault(66)
def test_another_name_is_planned_with_what_follows_and_the_old_plan_is_refused(walk: Walk) -> None:
    said = walk.of("sed")
    assert 'dns_names: ["localhost"] -> ["localhost", "agent.example.com"]  [in place]' in said
    assert "replaced: Certificates change" in said
    assert "agent.server_key: secret " in said
    assert "the world moved since the plan was made: the state" in said
    assert "the stack file" in said
    assert "the program" not in said.partition("the world moved")[2].partition("\n")[0]
    assert "PRISM_IAC_AT is set, and an update happens now" in said


def test_the_same_plan_twice_says_the_same_and_shows_no_secret(walk: Walk) -> None:
    again = (walk.folder / ".prism" / "again.json").read_text()
    assert text_of(Plan.model_validate_json(again)).rstrip() in walk.of("sed")
    state = json.loads((walk.folder / ".prism" / "demo-state.json").read_text())
    keys = [*keys_in(state)]
    assert len(keys) >= 3
    lines = {line for key in keys for line in key.splitlines() if "-----" not in line}
    everything = "".join([again, *walk.said])
    assert not [line for line in lines if line in everything]


def keys_in(value: Any) -> Iterator[str]:
    """The private keys anywhere in a state that shows its secrets."""
    if isinstance(value, dict):
        for item in value.values():
            yield from keys_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys_in(item)
    elif isinstance(value, str) and "PRIVATE KEY" in value:
        # A secret is JSON in its wrapper.
        yield json.loads(value) if value.startswith('"') else value


def test_another_day_renews_and_says_why(walk: Walk) -> None:
    said = walk.of("--at")
    assert "renews: CertificateBundle agent-tls" in said
    assert "because renews: 14 days left" in said or "because renews: 15 days left" in said
    assert "certificates agent-tls expires" in said


def test_what_shows_secrets_leaves_nothing_behind(walk: Walk) -> None:
    assert (walk.folder / ".prism" / "plan-salt").stat().st_mode & 0o077 == 0
    tracked = subprocess.run(
        ["git", "check-ignore", ".prism/plan-salt"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert tracked.stdout.strip() == ".prism/plan-salt"
