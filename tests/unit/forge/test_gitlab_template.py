"""What the template for GitLab has run for whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.unit.forge.gitlab import read_template, when_of

ROOT: Final = Path(__file__).parents[3]
TEMPLATE: Final = ROOT / "templates/stacks.yml"
INCLUDED: Final = yaml.safe_load((ROOT / "examples/pull-requests/gitlab.yml").read_text("utf-8"))["include"][
    0
]
JOBS: Final = read_template(TEMPLATE, INCLUDED["inputs"])
MERGE_REQUEST: Final = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_PROJECT_ID": "3"}


def jobs_of(pipeline: dict[str, str], jobs: dict[str, dict[str, Any]] = JOBS) -> set[str]:
    return {name for name, job in jobs.items() if when_of(job, pipeline) != "never"}


def test_the_example_includes_the_template_by_a_commit() -> None:
    assert INCLUDED["file"] == TEMPLATE.relative_to(ROOT).as_posix()
    assert len(INCLUDED["ref"]) == 40


@pytest.mark.parametrize("project", ["3", "9"], ids=["in this project", "in the fork"])
def test_a_merge_request_of_a_fork_is_validated_and_nothing_else(project: str) -> None:
    of_fork = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "9", "CI_PROJECT_ID": project}
    assert jobs_of(MERGE_REQUEST | of_fork) == {"validate"}
    assert "id_tokens" not in JOBS["validate"]
    assert "environment" not in JOBS["validate"]


def test_own_merge_requests_pushes_to_main_and_schedules_have_their_jobs() -> None:
    own = MERGE_REQUEST | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "3"}
    main = {"CI_PIPELINE_SOURCE": "push", "CI_DEFAULT_BRANCH": "main"}
    assert jobs_of(own) == {"validate", "plan", "comment", "ephemeral", "ephemeral-end"}
    assert jobs_of(main | {"CI_COMMIT_BRANCH": "main"}) == {"plan", "update"}
    assert jobs_of(main | {"CI_COMMIT_BRANCH": "other"}) == set()
    assert jobs_of({"CI_PIPELINE_SOURCE": "schedule"}) == {"sweep"}


def test_without_an_ephemeral_stack_there_is_none() -> None:
    jobs = read_template(TEMPLATE, {"stacks": ["dev"], "prism-iac": "prism-iac"})
    own = MERGE_REQUEST | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "3"}
    assert jobs_of(own, jobs) == {"validate", "plan", "comment"}
    assert jobs_of({"CI_PIPELINE_SOURCE": "schedule"}, jobs) == set()


def test_the_job_that_may_write_runs_no_code_of_the_branch() -> None:
    comment = JOBS["comment"]
    assert comment["variables"]["GIT_STRATEGY"] == "none"
    assert "before_script" not in comment
    assert "id_tokens" not in comment
    assert comment["environment"] == {"name": "comment", "action": "access"}


def test_updates_of_one_stack_wait_for_each_other_in_an_environment_of_its_name() -> None:
    assert JOBS["update"]["resource_group"] == "update-$STACK"
    assert JOBS["update"]["environment"] == {"name": "$STACK"}
    assert JOBS["plan"]["environment"] == {"name": "plan/$STACK", "action": "access"}


def test_no_input_stands_in_a_script() -> None:
    body = TEMPLATE.read_text("utf-8").partition("\n---\n")[2]
    marked = read_template(
        TEMPLATE, {"stacks": ["dev"], **dict.fromkeys(("prism-iac", "ephemeral"), "INPUT")}
    )
    assert "$[[ inputs." in body
    assert [job for job in marked.values() if "INPUT" in str(job["script"])] == []
