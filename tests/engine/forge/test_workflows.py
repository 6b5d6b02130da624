"""The jobs of the workflows, step by step with the real engine, from a pull request to its update and its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest

from prism_iac.toolchain import Pulumi
from tests.engine.processes import end_processes_of
from tests.unit.forge.runner import Runner, read_workflow
from tests.unit.forge.stand_in import TOKEN, StandIn, standing_in

ROOT: Final = Path(__file__).parents[3]
STACKS: Final = read_workflow(ROOT / ".github/workflows/stacks.yml")
ON_FORK: Final = read_workflow(ROOT / ".github/workflows/comment-on-fork.yml")
HEAD: Final = "5" * 40
FILES: Final = {
    "Pulumi.yaml": """
        name: platform
        runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
        stackConfigDir: stacks
    """,
    "requirements.txt": "prism-iac\n",
    "__main__.py": """
        import pulumi
        import prism_iac

        prism_iac.StackFile(f"stacks/{pulumi.get_stack()}.yaml")
    """,
    "numbers.txt": "1\n2\n",
    "stacks/dev.yaml": """
        environment: dev
        endpoint: embedded
        workspace: research
        participants: {ada: {user: ada@example.com}}
        assets:
          numbers: {kind: dataset, provider: ada, file: ../numbers.txt, description: Numbers}
    """,
}


def pull_request(action: str, repository: str = "o/r") -> dict[str, Any]:
    event = {"action": action, "pull_request": {"number": 7, "head": {"repo": {"full_name": repository}}}}
    return {"event_name": "pull_request", "event": event}


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        server.heads = {7: HEAD}
        yield server


@pytest.fixture
def runner(
    tmp_path: Path, pulumi: Pulumi, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runner]:
    repository = tmp_path / "platform"
    for name, text in FILES.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(dedent(text), encoding="utf-8")
    (tmp_path / "bucket").mkdir()
    monkeypatch.setenv("PATH", f"{pulumi.binary.parent}:/usr/bin:/bin")
    given = server.github()
    del given["GITHUB_TOKEN"]  # which a step is given, or is not
    runner = Runner(
        tmp_path / "runner",
        repository,
        github={},
        inputs={"stacks": json.dumps(["dev"]), "prism-iac": "prism-iac", "ephemeral": "dev"},
        environ={**given, "PULUMI_HOME": str(tmp_path / "home")},
        secrets={"PULUMI_CONFIG_PASSPHRASE": "of the team"},
        variables={"PULUMI_BACKEND_URL": f"file://{tmp_path}/bucket"},
    )
    try:
        yield runner
    finally:
        end_processes_of(tmp_path)


def run(runner: Runner, workflow: dict[str, Any], event: dict[str, Any]) -> bool:
    runner.github = {"repository": "o/r", "ref": "refs/heads/main", "token": TOKEN, **event}
    runner.skipped = []
    return runner.run(workflow)


def stacks_of(runner: Runner) -> set[str]:
    return {
        path.stem
        for path in Path(runner.variables["PULUMI_BACKEND_URL"][7:]).glob(".pulumi/stacks/platform/*.json")
    }


def make_stack(runner: Runner) -> None:
    """What somebody did once, and committed."""
    place = runner.folder / "once"
    (place / "workspace").mkdir(parents=True)
    (place / "temp").mkdir()
    own = {**runner.variables, **runner.secrets}
    script = f"cd {runner.repository} && pulumi stack init dev && pulumi config set --secret word secret"
    assert runner.script(script, place, own=own), runner.said


def test_a_pull_request_is_planned_deployed_for_itself_merged_and_taken_away(
    runner: Runner, server: StandIn
) -> None:
    make_stack(runner)
    assert run(runner, STACKS, pull_request("opened")), runner.said
    assert set(runner.skipped) == {"plan-of-fork", "update", "sweep"}
    (comment,) = server.bodies
    assert "### Plan for <code>dev</code>" in comment
    assert "numbers" in comment
    assert comment.partition("\n")[2] in runner.summary
    assert stacks_of(runner) == {"dev", "dev-pr-7"}

    assert run(runner, STACKS, {"event_name": "push", "event": {}}), runner.said
    assert set(runner.skipped) == {"validate", "plan-of-fork", "comment", "ephemeral", "sweep"}
    agreed = runner.artifacts["plan-dev"].read_bytes()

    server.heads, server.closed = {}, {7}
    assert run(runner, STACKS, {"event_name": "schedule", "event": {}}), runner.said
    assert "dev-pr-7: removed, pull request 7 is closed" in runner.said
    assert stacks_of(runner) == {"dev"}
    assert run(runner, STACKS, pull_request("closed")), runner.said
    assert "dev-pr-7: there is none" in runner.said

    # Somebody runs the job of the update again, with the plan that was agreed to then.
    update = {"on": STACKS["on"], "jobs": {"update": {**STACKS["jobs"]["update"], "needs": "again"}}}
    del update["jobs"]["update"]["needs"]
    runner.artifacts["plan-dev"].write_bytes(agreed)
    assert not run(runner, update, {"event_name": "push", "event": {}})
    assert "the world moved since the plan was made: the state" in runner.said


def test_a_fork_is_planned_without_secrets_and_commented_on_by_another_workflow(
    runner: Runner, server: StandIn
) -> None:
    runner.secrets, runner.variables = {}, {}
    assert run(runner, STACKS, pull_request("opened", "mallory/r")), runner.said
    assert set(runner.skipped) == {"plan", "comment", "update", "ephemeral", "sweep"}
    assert server.calls == []

    runner.inputs = {"prism-iac": "prism-iac"}
    ended = {
        "event": "pull_request",
        "conclusion": "success",
        "id": 1,
        "head_sha": HEAD,
        "head_repository": {"full_name": "mallory/r"},
    }
    event = {"event_name": "workflow_run", "event": {"workflow_run": ended}}
    # A foreign job says in its artefact what it likes: that is no plan, or the plan of whatever stack, and no markup.
    foreign = runner.artifacts["plan-of-fork"].read_text("utf-8")
    runner.artifacts["plan-of-fork"].write_text('{"number": 8, "body": "<b>"}', "utf-8")
    assert not run(runner, ON_FORK, event)
    assert server.bodies == []
    runner.artifacts["plan-of-fork"].write_text(foreign.replace("dev-pr-7", "<b>@all"), "utf-8")
    assert run(runner, ON_FORK, event), runner.said
    (comment,) = server.bodies
    assert "<b>@all" not in comment
    assert not [call for call in server.writes if "/issues/7/" not in call]
