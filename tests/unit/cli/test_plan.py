"""What `plan` and `up` refuse before they ask the engine."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from prism_iac.errors import Conflict
from prism_iac.plan import Plan, World
from tests.unit.cli.conftest import Run

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize("command", ["plan", "up"])
def test_outside_of_a_project_it_says_where_to_run_it(
    run: Run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run(command)
    assert ended.code == 1
    assert "there is no Pulumi project here" in ended.err


def test_an_update_happens_now(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_IAC_AT", "2030-01-01T00:00:00+00:00")
    ended = run("up", "--yes")
    assert ended.code == 1
    assert "PRISM_IAC_AT is set, and an update happens now" in ended.err


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}', "[]", "\x00"])
def test_what_is_no_plan_is_told_with_its_place(run: Run, text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    ended = run("up", "--plan", str(path))
    assert ended.code == 1
    assert f"{path}:1:1: " in ended.err
    assert "is no plan of this version" in ended.err


def plan_of(stack: str, **world: str) -> Plan:
    return Plan(stack=stack, as_of=date(2026, 11, 26), world=World(**world))


@pytest.mark.fault(66)
def test_everything_that_moved_is_named_at_once() -> None:
    from prism_iac.cli.plan._up import hold

    hold(plan_of("dev", state=A, program=B), plan_of("dev", state=A, program=B))
    with pytest.raises(Conflict) as refused:
        hold(plan_of("dev", state=A, program=A), plan_of("prod", state=B, program=A, changes=A))
    words = str(refused.value)
    assert "prod: the world moved since the plan was made: the stack: the plan is for dev; the state" in words
    assert "what the update would do" in words
    assert "the program" not in words
