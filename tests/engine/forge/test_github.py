"""The jobs of the workflows, step by step with the real engine, from a pull request to its update and its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.engine.forge.conftest import Stacks
from tests.unit.forge.runner import Machine, Runner, read_workflow
from tests.unit.forge.stand_in import TOKEN, StandIn

ROOT: Final = Path(__file__).parents[3]
STACKS: Final = read_workflow(ROOT / ".github/workflows/stacks.yml")
ON_FORK: Final = read_workflow(ROOT / ".github/workflows/comment-on-fork.yml")
HEAD: Final = "5" * 40
PUSH: Final = {
    "event_name": "push",
    "ref_type": "branch",
    "ref_name": "main",
    "event": {"repository": {"default_branch": "main"}},
}


def pull_request(action: str, repository: str = "o/r") -> dict[str, Any]:
    event = {"action": action, "pull_request": {"number": 7, "head": {"repo": {"full_name": repository}}}}
    return {"event_name": "pull_request", "event": event}


@pytest.fixture
def runner(machine: Machine, server: StandIn, access: dict[str, str]) -> Runner:
    server.heads = {7: HEAD}
    # A step is given the token, or it is not.
    machine.environ |= {name: text for name, text in server.github().items() if name != "GITHUB_TOKEN"}
    secret = "PULUMI_CONFIG_PASSPHRASE"
    return Runner(
        machine,
        inputs={"stacks": json.dumps(["dev"]), "prism-iac": "prism-iac", "ephemeral": "dev"},
        secrets={secret: access[secret]},
        variables={name: value for name, value in access.items() if name != secret},
    )


def run(runner: Runner, workflow: dict[str, Any], event: dict[str, Any]) -> bool:
    runner.github = {"repository": "o/r", "ref": "refs/heads/main", "token": TOKEN, **event}
    runner.skipped = []
    return runner.run(workflow)


def test_a_pull_request_is_planned_deployed_for_itself_merged_and_taken_away(
    runner: Runner, machine: Machine, server: StandIn, stacks: Stacks
) -> None:
    assert run(runner, STACKS, pull_request("opened")), machine.said
    assert set(runner.skipped) == {"plan-of-fork", "update", "sweep"}
    (comment,) = server.bodies
    assert "### Plan for <code>dev</code>" in comment
    assert "numbers" in comment
    assert comment in runner.summary
    assert stacks() == {"dev", "dev-pr-7"}

    assert run(runner, STACKS, PUSH), machine.said
    assert set(runner.skipped) == {"validate", "plan-of-fork", "comment", "ephemeral", "sweep"}

    server.heads, server.closed = {}, {7}
    assert run(runner, STACKS, {"event_name": "schedule", "event": {}}), machine.said
    assert "dev-pr-7: removed, pull request 7 is closed" in machine.said
    assert stacks() == {"dev"}
    assert run(runner, STACKS, pull_request("closed")), machine.said
    assert "dev-pr-7: there is none" in machine.said

    # Somebody has the job of the update run again, with the plan that was agreed to then.
    alone = {name: value for name, value in STACKS["jobs"]["update"].items() if name != "needs"}
    assert not run(runner, {**STACKS, "jobs": {"update": alone}}, PUSH)
    assert "the world moved since the plan was made: the state" in machine.said


def test_a_fork_is_planned_without_secrets_and_commented_on_by_another_workflow(
    runner: Runner, machine: Machine, server: StandIn, stacks: Stacks
) -> None:
    runner.secrets, runner.variables = {}, {}
    assert run(runner, STACKS, pull_request("opened", "mallory/r")), machine.said
    assert set(runner.skipped) == {"plan", "comment", "update", "ephemeral", "sweep"}
    assert server.calls == []
    assert stacks() == {"dev"}

    runner.inputs = {"prism-iac": "prism-iac"}
    ended = {
        "event": "pull_request",
        "conclusion": "success",
        "id": 1,
        "head_sha": HEAD,
        "head_repository": {"full_name": "mallory/r"},
    }
    event = {"event_name": "workflow_run", "event": {"workflow_run": ended}}
    # What foreign code made may say anything: then it is no plan, or one of whatever stack, without markup.
    artifact = machine.artifacts["plan-of-fork"]
    plan = artifact.read_text(encoding="utf-8")
    artifact.write_text('{"number": 8, "body": "<b>"}', encoding="utf-8")
    assert not run(runner, ON_FORK, event)
    assert server.bodies == []
    artifact.write_text(plan.replace("dev-pr-7", "<b>@all"), encoding="utf-8")
    assert run(runner, ON_FORK, event), machine.said
    (comment,) = server.bodies
    assert "<b>@all" not in comment
    assert [call for call in server.writes if "/issues/7/" not in call] == []
