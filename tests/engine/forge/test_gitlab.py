"""The jobs of the template, script by script with the real engine, and what each of them is given."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.engine.forge.conftest import Stacks
from tests.unit.forge.gitlab import GitLabRunner, read_template
from tests.unit.forge.runner import Machine
from tests.unit.forge.stand_in import TOKEN, StandIn

JOBS: Final = read_template(
    Path(__file__).parents[3] / "templates/stacks.yml",
    {"stacks": ["dev"], "prism-iac": "prism-iac", "ephemeral": "dev"},
)
MERGE_REQUEST: Final = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "3",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "3",
}
PUSH: Final = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}


@pytest.fixture
def runner(machine: Machine, server: StandIn, access: dict[str, str]) -> GitLabRunner:
    of_forge = {"GITLAB_CI": "true", "CI_API_V4_URL": server.url, "CI_PROJECT_ID": "3"}
    machine.environ |= of_forge
    token = {"GITLAB_TOKEN": TOKEN}
    return GitLabRunner(
        machine,
        pipeline={},
        scoped={
            "plan/*": access,
            "dev": access,
            "review/*": access,
            "sweep": access | token,
            "comment": token,
        },
    )


def run(runner: GitLabRunner, pipeline: dict[str, str], *by_hand: str) -> list[str]:
    runner.pipeline = pipeline
    runner.ran = []
    assert runner.run(JOBS, *by_hand), runner.machine.said
    return runner.ran


def test_a_merge_request_is_planned_deployed_for_itself_merged_and_taken_away(
    runner: GitLabRunner, machine: Machine, server: StandIn, stacks: Stacks
) -> None:
    assert run(runner, MERGE_REQUEST) == ["validate", "plan", "comment", "ephemeral"]
    (note,) = server.bodies
    assert "### Plan for <code>dev</code>" in note
    assert stacks() == {"dev", "dev-pr-7"}
    assert run(runner, PUSH) == ["plan", "update"]
    server.heads = {7: "5" * 40}
    assert run(runner, {"CI_PIPELINE_SOURCE": "schedule"}) == ["sweep"]
    assert "dev-pr-7: kept until" in machine.said
    runner.pipeline = MERGE_REQUEST
    assert runner.run({"ephemeral-end": JOBS["ephemeral-end"]}, "ephemeral-end"), machine.said
    assert stacks() == {"dev"}
