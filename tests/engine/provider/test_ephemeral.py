"""Stacks of pull requests with the real engine: apart from each other, and gone when their time is over."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from prism_iac.cli.ephemeral._life import deploy, make, remove, sweep
from prism_iac.cli.ephemeral._mark import Mark
from prism_iac.cli.plan._preview import make_plan
from prism_iac.cli.plan._up import hold
from prism_iac.errors import Conflict
from tests.engine.project import Project

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
STACK_FILE: Final = """
    environment: dev
    endpoint: embedded
    workspace: research
    participants: {ada: {user: ada@example.com}}
    assets:
      numbers: {kind: dataset, provider: ada, file: ../numbers.txt, description: Numbers}
"""
PROGRAM: Final = """
    import pulumi
    import prism_iac

    prism_iac.StackFile(f"stacks/{pulumi.get_stack()}.yaml")
"""


@pytest.fixture
def repository(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A platform repository with a stack `dev`; what runs in this process is in its folder."""
    project.write("numbers.txt", "1\n2\n")
    project.write("stacks/dev.yaml", STACK_FILE)
    project.program(PROGRAM)
    for name in set(os.environ) - set(project.environ):
        monkeypatch.delenv(name)
    for name, value in project.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project.folder)
    return project


def of(pull_request: int, expires: datetime = NOW + DAY) -> Mark:
    return Mark(of="dev", pull_request=pull_request, expires=expires)


def swept(now: datetime) -> list[str]:
    said: list[str] = []
    assert sweep(now, None, said.append)
    return said


def as_fresh_checkout(folder: Path) -> None:
    """Leave what version control has: neither stack files of pull requests nor their configuration."""
    for path in folder.glob("**/*-pr-*.yaml"):
        path.unlink()


@pytest.mark.fault(69, 70)
def test_two_pull_requests_have_each_their_own_and_a_plan_does_not_outlive_its_stack(
    repository: Project,
) -> None:
    repository.set_config("word", "secret", secret=True)
    for number in (12, 13):
        deploy(make(of(number)))
        assert f"workspace: research-pr-{number}\n" in Path(f"stacks/dev-pr-{number}.yaml").read_text("utf-8")
    assert repository.pulumi("config", "get", "word", "--stack", "dev-pr-13").strip() == "secret"
    repository.write("numbers.txt", "1\n2\n3\n")
    agreed = make_plan("dev-pr-13")
    assert remove("dev-pr-12")
    assert not remove("dev-pr-12")
    hold(agreed, make_plan("dev-pr-13"))

    # The sweep of another day has neither the stack file nor the configuration of a pull request.
    for path in repository.folder.glob("stacks/*dev-pr-13.yaml"):
        path.unlink()
    assert swept(NOW + DAY - timedelta(seconds=1)) == ["dev-pr-13: kept until 2026-11-27T12:00:00Z"]
    assert swept(NOW + DAY) == ["dev-pr-13: removed, its time was over at 2026-11-27T12:00:00Z"]
    assert swept(NOW + DAY) == ["there is no ephemeral stack"]
    assert '"name": "dev"' in repository.pulumi("stack", "ls", "--json")

    # The review went on meanwhile.
    make(of(13, NOW + 2 * DAY))
    with pytest.raises(Conflict, match="the world moved since the plan was made: the state"):
        hold(agreed, make_plan("dev-pr-13"))


@pytest.mark.fault(66, 70)
def test_of_two_plans_for_one_shared_stack_the_later_update_is_refused(repository: Project) -> None:
    repository.write("numbers.txt", "1\n2\n3\n")
    mine = make_plan("dev")
    repository.write("numbers.txt", "4\n")
    repository.up()
    repository.write("numbers.txt", "1\n2\n3\n")
    with pytest.raises(Conflict, match="the state: another update was made since"):
        hold(mine, make_plan("dev"))


def test_what_is_not_marked_is_left_alone(repository: Project) -> None:
    repository.pulumi("stack", "init", "dev-pr-12", "--no-select")
    for act in (lambda: make(of(12)), lambda: remove("dev-pr-12")):
        with pytest.raises(Conflict, match="dev-pr-12 is not marked as ephemeral"):
            act()
    # A mark that was copied along with a name of somebody's own is none.
    repository.pulumi("stack", "tag", "set", "prism-iac:ephemeral", of(7).model_dump_json(), "--stack", "dev")
    said: list[str] = []
    assert not sweep(NOW + DAY, None, said.append)
    assert said == ["dev: not removed: the stack dev is not marked as ephemeral"]
    listed = repository.pulumi("stack", "ls", "--json")
    assert '"name": "dev"' in listed
    assert '"name": "dev-pr-12"' in listed
