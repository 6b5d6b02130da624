"""The action runs no foreign text, and its steps do what a job needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from prism_iac.plan import Plan
from tests.unit.forge.stand_in import TOKEN, Refusal, StandIn, standing_in

ACTION: Final = Path(__file__).parents[3] / "action.yml"
EXPRESSION: Final = re.compile(r"\$\{\{\s*(?P<of>[\w.-]+)\s*\}\}")


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return read


def publish(
    action: dict[str, Any], server: StandIn, folder: Path, **inputs: str
) -> subprocess.CompletedProcess[str]:
    """Execute the step as a runner does, where the step before it has installed the package."""
    values = {f"inputs.{name}": given.get("default", "") for name, given in action["inputs"].items()}
    values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    step = next(step for step in action["runs"]["steps"] if step["name"] == "Publish")
    (folder / "temp/prism-iac/bin").mkdir(parents=True)
    (folder / "temp/prism-iac/bin/prism-iac").symlink_to(Path(sys.prefix, "bin/prism-iac"))
    (folder / "plan.json").write_text(Plan(stack="dev", as_of=date(2026, 11, 1)).to_json(), encoding="utf-8")
    variables = {
        name: EXPRESSION.sub(lambda found: values[found["of"]], text) for name, text in step["env"].items()
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            **server.github(),
            "RUNNER_TEMP": str(folder / "temp"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            **variables,
        },
        check=False,
        capture_output=True,
        text=True,
    )


def test_no_expression_stands_in_a_script(action: dict[str, Any]) -> None:
    scripts = [step["run"] for step in action["runs"]["steps"]]
    assert len(scripts) == 2
    assert [script for script in scripts if "${{" in script] == []


def test_the_token_reaches_the_publishing_step_alone(action: dict[str, Any]) -> None:
    with_token = [step["name"] for step in action["runs"]["steps"] if "token" in str(step["env"]).lower()]
    assert with_token == ["Publish"]


def test_the_step_publishes_to_the_pull_request_of_the_job(action: dict[str, Any], tmp_path: Path) -> None:
    with standing_in() as server:
        ended = publish(action, server, tmp_path, plan="plan.json", token=TOKEN)
    assert ended.returncode == 0, ended.stderr
    assert len(server.bodies) == 1


def test_a_hostile_number_is_an_argument_and_no_command(action: dict[str, Any], tmp_path: Path) -> None:
    with standing_in() as server:
        ended = publish(
            action, server, tmp_path, plan="plan.json", token=TOKEN, pull_request='7"; touch "$HOME/owned; #'
        )
    assert ended.returncode == 2
    assert server.calls == []
    assert not (tmp_path / "owned").exists()


@pytest.mark.fault(68)
def test_for_a_fork_the_job_succeeds_with_the_plan_in_its_summary(
    action: dict[str, Any], tmp_path: Path
) -> None:
    with standing_in() as server:
        server.refusals = [Refusal("POST", 403)]
        ended = publish(action, server, tmp_path, plan="plan.json", token=TOKEN)
    assert ended.returncode == 0, ended.stderr
    assert "### Plan for" in (tmp_path / "summary.md").read_text(encoding="utf-8")
