"""Runs of a computation under the engine: at most one for each trigger, and nothing changes under one."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.engine.outcome import Outcome
from tests.engine.project import Running
from tests.engine.provider.platform_repo import ADDITION, PATIENCE_SECONDS, PlatformRepo

PROGRAM = """
    from pathlib import Path

    import prism_iac
    import pulumi

    config = pulumi.Config()
    ADA, GRACE = "ada@example.com", "grace@example.com"

    vm = prism_iac.ConfidentialVM("trainer")
    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider=ADA, file="numbers.txt", description="three numbers"
    )
    addition = prism_iac.Asset(
        "addition", asset_type="algorithm", provider=GRACE, file="addition.py", description="adds them"
    )
    computation = prism_iac.Computation(
        "sum",
        description="adds numbers",
        algorithm=addition.id,
        datasets=[numbers.id],
        result_consumers=[ADA],
        agent={"log_level": config.get("log-level") or "info"},
        stop_on_delete=config.get_bool("stop"),
    )
    keys = [
        prism_iac.PublicKey(
            f"key-{user}",
            computation=computation.id,
            user=f"{user}@example.com",
            key=Path(f"{user}.pub.pem").read_text(),
        )
        for user in ("ada", "grace")
    ]
    if version := config.get("version"):
        prism_iac.ComputationRun(
            "run",
            computation=computation.id,
            vm=vm.id,
            triggers={"version": version},
            opts=pulumi.ResourceOptions(depends_on=keys),
        )
"""

FAILING = "import sys; sys.exit('the third number is no number')"


def begin_waiting(repo: PlatformRepo, number: int, *arguments: str) -> Running:
    """An update that waits for the participants of a run."""
    running = repo.project.start("up", *arguments)
    running.until(lambda: f"run: run #{number}; participants" in running.text)
    return running


def run_to_its_end(repo: PlatformRepo, number: int, *arguments: str) -> Outcome:
    running = begin_waiting(repo, number, *arguments)
    repo.upload(repo.vms()[0].agent_address)
    return running.finish()


@pytest.mark.fault(34)
def test_a_trigger_starts_one_run_whatever_happens(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    project.set_config("version", "1")

    # An update that waits is interrupted, twice because the engine lets creates go on after once; the next
    # update waits for the same run.
    running = begin_waiting(repo, 1)
    running.interrupt()
    running.until(lambda: "^C received" in running.text)
    running.interrupt()
    interrupted = running.finish(PATIENCE_SECONDS)
    assert interrupted.exit_code != 0
    assert repo.plugins() == []
    assert "run" not in project.state()
    done = run_to_its_end(repo, 1)
    assert done.exit_code == 0, done.text
    run = project.state()["run"]
    assert repo.runs() == [run.id]
    assert run.outputs["status"] == "completed"
    assert run.outputs["events"][-1]["event_type"] == "ConsumingResults"
    assert project.up().changes == {}
    result = repo.fetch_result(run.outputs["agent_address"])
    assert hashlib.sha3_256(result).hexdigest() == run.outputs["result_sha3_256"]

    # Another trigger is another run; one that failed fails the update, and is not started again.
    repo.addition.write_text(FAILING)
    project.set_config("version", "2")
    assert project.preview().changes == {"addition": "update", "run": "replace"}
    failed = run_to_its_end(repo, 2)
    assert failed.exit_code != 0
    again = project.up(succeeds=False)
    for outcome in (failed, again):
        (error,) = (error for error in outcome.errors if "run #2 failed" in error)
        assert "the third number is no number" in error
    before = repo.runs()
    assert len(before) == 2
    assert "run: ConsumingResults" not in failed.text, "a step of the first run was told of the second"

    # Whoever asks for a replacement gets another run with the same inputs.
    repo.addition.write_text(ADDITION)
    replaced = run_to_its_end(repo, 3, "--replace", project.state()["run"].urn)
    assert replaced.exit_code == 0, replaced.text
    assert repo.runs() == sorted([*before, project.state()["run"].id])
    assert project.refresh().changes == {}
    assert project.preview().changes == {}


@pytest.mark.fault(14, 22)
def test_nothing_changes_under_a_run_and_nothing_is_lost_by_a_delete(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    project.up()
    computation = project.state()["sum"]
    with repo.workspace() as workspace:
        workspace.computations.run(computation.id, repo.vm_records()[0])

    project.set_config("log-level", "debug")
    assert project.preview().changes == {"sum": "update"}
    (refusal, _) = project.up(succeeds=False).errors
    assert "cannot change while a run is going on" in refusal
    assert f"prism-iac computations stop {computation.id}" in refusal
    record = repo.look(lambda workspace: workspace.computations.get(computation.id))
    assert record.agent_config is not None
    assert record.agent_config.log_level == "info"
    project.set_config("log-level", "info")
    project.up()

    refused = project.destroy(succeeds=False)
    (refusal,) = (error for error in refused.errors if "a run is going on" in error)
    assert "stop_on_delete" in refusal
    assert repo.computations() == ["sum"]
    assert len(repo.vms()) == 1

    project.set_config("stop", "true")
    project.up()
    project.destroy()
    assert (repo.computations(), repo.assets(), repo.vm_records(), repo.vms()) == ([], [], [], ())
    (export,) = (repo.data / "exports").iterdir()
    assert json.loads(export.read_text())["description"] == "adds numbers"
