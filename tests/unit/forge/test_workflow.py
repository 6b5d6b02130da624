"""What is written for forges gives foreign code neither secrets nor rights, and runs nothing that moves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.forge.expressions import EXPRESSION, evaluate
from tests.unit.forge.runner import read_workflow

ROOT: Final = Path(__file__).parents[3]
OURS: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))
EXAMPLES: Final = sorted((ROOT / "examples/pull-requests").glob("github*.yml"))
STACKS: Final = read_workflow(ROOT / ".github/workflows/stacks.yml")["jobs"]
ON_FORK: Final = read_workflow(ROOT / ".github/workflows/comment-on-fork.yml")["jobs"]
PINNED: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40}")
OWN: Final = "github.event.pull_request.head.repo.full_name == github.repository"
FORK: Final = OWN.replace("==", "!=")

CONTEXTS: Final = {
    "strategy": {"github", "needs", "vars", "inputs"},
    "concurrency": {"github", "needs", "strategy", "matrix", "inputs", "vars"},
    "environment": {"github", "needs", "strategy", "matrix", "inputs", "vars"},
    "defaults": {"github", "needs", "strategy", "matrix", "env", "inputs", "vars"},
    "env": {"github", "needs", "strategy", "matrix", "vars", "secrets", "inputs"},
    "if": {"github", "needs", "vars", "inputs"},
}
"""What an expression of a job may name, by its key (GitHub Actions, "Context availability")."""


def names_in(value: Any, *, is_bare: bool = False) -> set[str]:
    """The contexts that the expressions in a value name."""
    texts = [str(value)] if is_bare else [found["of"] for found in EXPRESSION.finditer(str(value))]
    without_texts = " ".join(re.sub(r"'[^']*'", "", text) for text in texts)
    return set(re.findall(r"(?<![.\w-])([a-z]+)\.", without_texts))


def steps_of(path: Path) -> Iterator[dict[str, Any]]:
    document = read_workflow(path)
    for job in document["jobs"].values() if "jobs" in document else [document["runs"]]:
        yield from job.get("steps", [job])


@pytest.mark.parametrize("path", [*OURS, *EXAMPLES], ids=lambda path: path.name)
def test_rights_are_given_job_by_job(path: Path) -> None:
    document = read_workflow(path)
    assert document["permissions"] == {}
    assert all(job["permissions"] for job in document["jobs"].values())
    assert "pull_request_target" not in document["on"]
    # The forge knows anchors, and no merge keys.
    assert "<<:" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [*OURS, *EXAMPLES, ROOT / "action.yml"], ids=lambda path: path.name)
def test_actions_are_pinned_and_no_expression_stands_in_a_script(path: Path) -> None:
    steps = [*steps_of(path)]
    assert steps
    assert [step["uses"] for step in steps if "uses" in step and not PINNED.fullmatch(step["uses"])] == []
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_expressions_name_what_the_forge_offers_there(path: Path) -> None:
    document = read_workflow(path)
    for job in document["jobs"].values():
        for key, offered in CONTEXTS.items():
            assert names_in(job.get(key, ""), is_bare=key == "if") <= offered
    assert names_in(document["permissions"]) == set()


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_checkout_keeps_no_token(path: Path) -> None:
    checkouts = [step for step in steps_of(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_each_job_has_the_rights_that_it_needs() -> None:
    assert {name: job["permissions"] for name, job in STACKS.items()} == {
        "validate": {"contents": "read"},
        "plan": {"contents": "read", "id-token": "write"},
        "plan-of-fork": {"contents": "read"},
        "comment": {"pull-requests": "write"},
        "update": {"contents": "read", "id-token": "write"},
        "ephemeral": {"contents": "read", "id-token": "write"},
        "sweep": {"contents": "read", "id-token": "write", "pull-requests": "read"},
    }
    assert ON_FORK["comment"]["permissions"] == {"actions": "read", "pull-requests": "write"}


@pytest.mark.fault(68)
def test_secrets_and_identities_are_only_where_no_fork_comes() -> None:
    trusted = {
        name for name, job in STACKS.items() if "secrets." in str(job) or "id-token" in job["permissions"]
    }
    assert trusted == {"plan", "update", "ephemeral", "sweep"}
    assert {name for name in trusted if "pull_request" in STACKS[name]["if"]} == {"plan", "ephemeral"}
    assert all(OWN in STACKS[name]["if"] for name in ("plan", "ephemeral"))
    assert "github.event_name == 'push'" in STACKS["update"]["if"]
    assert "github.event_name == 'schedule'" in STACKS["sweep"]["if"]
    assert FORK in STACKS["plan-of-fork"]["if"]
    assert "secrets." not in str(ON_FORK)


@pytest.mark.parametrize(
    ("kind", "name", "has_update"),
    [("branch", "main", True), ("branch", "other", False), ("tag", "main", False)],
)
def test_only_a_push_to_the_default_branch_updates(kind: str, name: str, has_update: bool) -> None:  # noqa: FBT001  # a column of the table
    event = {"repository": {"default_branch": "main"}}
    github = {"event_name": "push", "ref_type": kind, "ref_name": name, "event": event}
    assert bool(evaluate(STACKS["update"]["if"], {"github": github})) is has_update


@pytest.mark.parametrize("job", [STACKS["comment"], ON_FORK["comment"]], ids=["own", "fork"])
def test_the_job_that_may_write_runs_no_code_of_the_branch(job: dict[str, Any]) -> None:
    download, publish = job["steps"]
    assert download["uses"].startswith("actions/download-artifact@")
    assert "requirements" not in publish["run"]


def test_jobs_that_change_one_stack_wait_for_each_other() -> None:
    assert STACKS["update"]["concurrency"] == {"group": "update-${{ matrix.stack }}"}
    assert STACKS["update"]["environment"] == "${{ matrix.stack }}"
    assert STACKS["plan"]["concurrency"]["group"].endswith("-${{ matrix.stack }}")
    assert "github.event.pull_request.number" in STACKS["plan"]["concurrency"]["group"]
    assert "cancel-in-progress" not in STACKS["ephemeral"]["concurrency"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_example_gives_what_the_workflow_asks_for(path: Path) -> None:
    (caller,) = read_workflow(path)["jobs"].values()
    called = read_workflow(ROOT / ".github" / caller["uses"].partition("/.github/")[2].partition("@")[0])
    declared = called["on"]["workflow_call"]
    required = {name for name, item in declared["inputs"].items() if item.get("required")}
    assert required <= caller["with"].keys() <= declared["inputs"].keys()
    assert caller.get("secrets", {}).keys() == declared.get("secrets", {}).keys()
    asked = {right for job in called["jobs"].values() for right in job["permissions"].items()}
    levels = {"read": 1, "write": 2}
    assert all(levels[caller["permissions"].get(name, "read")] >= levels[level] for name, level in asked)
    assert caller["permissions"].keys() == {name for name, _ in asked}
