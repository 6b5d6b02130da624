"""The workflow that people copy gives foreign code neither secrets nor rights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

WORKFLOW: Final = Path(__file__).parents[3] / "examples/pull-requests/github.yml"
OWN_BRANCHES: Final = "github.event.pull_request.head.repo.full_name == github.repository"
PINNED: Final = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    text = WORKFLOW.read_text(encoding="utf-8")
    # YAML 1.1 reads the key `on` as true.
    read = yaml.safe_load(text)
    assert read[True] == "pull_request"
    assert read["permissions"] == {}
    assert "concurrency" in read
    found: dict[str, Any] = read["jobs"]
    assert set(found) == {"validate", "plan", "comment"}
    return found


def uses(job: dict[str, Any]) -> list[str]:
    return [step["uses"] for step in job["steps"] if "uses" in step]


def test_each_job_has_the_one_right_that_it_needs(jobs: dict[str, Any]) -> None:
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "validate": {"contents": "read"},
        "plan": {"contents": "read"},
        "comment": {"pull-requests": "write"},
    }


def test_secrets_are_only_where_no_fork_comes(jobs: dict[str, Any]) -> None:
    with_secrets = {name for name, job in jobs.items() if "secrets." in str(job)}
    assert with_secrets == {"plan"}
    assert jobs["plan"]["if"] == OWN_BRANCHES


def test_the_job_that_may_write_runs_no_code_of_the_branch(jobs: dict[str, Any]) -> None:
    assert [one for one in uses(jobs["comment"]) if one.startswith("actions/checkout")] == []
    assert [step for step in jobs["comment"]["steps"] if "run" in step] == []


def test_a_checkout_keeps_no_token(jobs: dict[str, Any]) -> None:
    checkouts = [
        step
        for job in jobs.values()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/checkout")
    ]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False, False]


def test_no_expression_stands_in_a_script(jobs: dict[str, Any]) -> None:
    scripts = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert len(scripts) == 2
    assert [script for script in scripts if "${{" in script] == []


def test_actions_are_pinned_by_commit(jobs: dict[str, Any]) -> None:
    named = [one for job in jobs.values() for one in uses(job)]
    assert len(named) == 5
    assert [one for one in named if not PINNED.fullmatch(one)] == []
