"""A plan in a file becomes the comment of a pull request."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from prism_iac.forge import COMMENT_CHARACTERS
from prism_iac.plan import Effect, Plan, ResourceChange
from tests.unit.cli.conftest import Run
from tests.unit.forge.stand_in import TOKEN, Refusal, standing_in


@pytest.fixture
def plan(here: Path) -> Path:
    changes = tuple(
        ResourceChange(effect=Effect.CREATE, kind="Asset", name=f"<b>{index}-{'x' * 80}", urn=f"urn:{index}")
        for index in range(1000)
    )
    file = here / "plan.json"
    file.write_text(Plan(stack="dev", as_of=date(2026, 11, 1), changes=changes).to_json(), encoding="utf-8")
    return file


def test_a_plan_is_published_whole_within_the_limit_and_escaped(plan: Path, run: Run) -> None:
    with standing_in() as server:
        assert run("comment", "--plan", str(plan), **server.github()).code == 0
    [body] = server.bodies
    assert body.startswith("<!-- prism-iac plan ")
    assert "1000" in body.splitlines()[3]
    assert "Left out" in body
    assert len(body) <= COMMENT_CHARACTERS
    assert "<b>0" not in body


def test_where_the_job_may_not_comment_the_plan_goes_to_its_summary(plan: Path, here: Path, run: Run) -> None:
    summary = here / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    with standing_in() as server:
        server.refusals = [Refusal("POST", 403)]
        ended = run("comment", "--plan", str(plan), GITHUB_STEP_SUMMARY=str(summary), **server.github())
    assert ended.code == 0
    assert "summary of the job" in ended.err
    assert TOKEN not in ended.err
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert "### Plan for <code>dev</code>" in text


def test_without_a_summary_a_refusal_fails_the_job(plan: Path, run: Run) -> None:
    with standing_in() as server:
        server.refusals = [Refusal("POST", 403)]
        ended = run("comment", "--plan", str(plan), GITHUB_STEP_SUMMARY="", **server.github())
    assert ended.code == 1
    assert "forks do not get it" in ended.err


def test_a_plan_of_a_fork_goes_where_the_forge_says_that_its_commit_is(plan: Path, run: Run) -> None:
    with standing_in() as server:
        server.heads = {7: "5" * 40, 8: "6" * 40}
        variables = server.github() | {"GITHUB_REF": "refs/heads/main"}
        assert run("comment", "--plan", str(plan), "--head", "5" * 40, **variables).code == 0
        ended = run("comment", "--plan", str(plan), "--head", "4" * 40, **variables)
    assert len(server.bodies) == 1
    assert ended.code == 1
    assert "no open pull request has 4444" in ended.err


def test_a_job_that_is_about_no_pull_request_has_the_plan_in_its_summary(
    plan: Path, here: Path, run: Run
) -> None:
    summary = here / "summary.md"
    ended = run("comment", "--plan", str(plan), "--summary", GITHUB_STEP_SUMMARY=str(summary))
    assert ended.code == 0
    assert "### Plan for <code>dev</code>" in summary.read_text(encoding="utf-8")
    assert "is not set" in run("comment", "--plan", str(plan), "--summary", GITHUB_STEP_SUMMARY="").err


def test_one_pull_request_is_not_named_in_two_ways(plan: Path, run: Run) -> None:
    ended = run("comment", "--plan", str(plan), "--head", "5" * 40, "--pull-request", "7")
    assert ended.code == 2
    assert "Say one of" in ended.err


@pytest.mark.parametrize(
    "text", ['{"stack": "dev"}', '{"stack": "dev", "as_of": "2026-11-01", "html": "x"}', "["]
)
def test_a_file_that_is_no_plan_reaches_no_forge(plan: Path, run: Run, text: str) -> None:
    plan.write_text(text, encoding="utf-8")
    with standing_in() as server:
        ended = run("comment", "--plan", str(plan), **server.github())
    assert ended.code == 1
    assert "is no plan of this version" in ended.err
    assert server.calls == []


def test_a_file_that_is_too_large_is_not_read(plan: Path, run: Run) -> None:
    with plan.open("r+b") as file:
        file.truncate((32 << 20) + 1)
    ended = run("comment", "--plan", str(plan))
    assert ended.code == 1
    assert "which no plan has" in ended.err
