"""The engine is killed at every create; what it had begun is found again, and nothing is there twice."""

from __future__ import annotations

import pytest

from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo

PROGRAM = """
    from pathlib import Path

    import prism_iac
    import pulumi

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
    prism_iac.ComputationRun(
        "first-run",
        computation=computation.id,
        vm=vm.id,
        triggers={"version": "1"},
        wait=False,
        stop_on_delete=True,
        opts=pulumi.ResourceOptions(depends_on=keys),
    )
"""


def kill_engine_at(repo: PlatformRepo, gate: Gate, call: str) -> None:
    """Kill the engine after the backend has done a call and before the provider hears of it."""
    repo.kill_engine_at(gate, call)
    # What a user does who is told that the stack is locked.
    repo.project.pulumi("cancel", "--yes")


@pytest.mark.fault(4, 34, 71)
def test_a_kill_at_any_create_leaves_no_orphan_and_nothing_twice(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    repo.start_backend()
    with Gate(repo.data) as gate:
        for call in ("POST .*/cvms/", "POST .*/assets$", "POST .*/computations$", "POST .*/run$"):
            kill_engine_at(repo, gate, call)
        project.up()
    assert repo.computations() == ["sum"]
    assert repo.assets() == ["addition.py", "numbers.txt"]
    assert len(repo.vm_records()) == len(repo.vms()) == 1
    assert len(repo.runs()) == 1
    assert project.preview().changes == {}
    project.destroy()
    assert (repo.computations(), repo.assets(), repo.vm_records(), repo.vms()) == ([], [], [], ())


@pytest.mark.fault(4)
def test_a_kill_in_the_middle_of_a_replacement_leaves_one_vm(repo: PlatformRepo) -> None:
    project = repo.project
    program = "import prism_iac; prism_iac.ConfidentialVM('trainer', vcpus={})"
    project.program(program.format(2))
    project.up()
    first = project.state()["trainer"].id
    project.program(program.format(4))
    with Gate(repo.data) as gate:
        kill_engine_at(repo, gate, "POST .*/cvms/")
        assert first not in repo.vm_records()
        project.up()
    (vm,) = repo.vms()
    assert repo.vm_records() == [vm.id] == [project.state()["trainer"].id]
    assert vm.vcpus == 4
    assert project.preview().changes == {}
    # The next replacement is another one again.
    project.program(program.format(8))
    project.up()
    assert repo.vm_records() == [project.state()["trainer"].id]
    assert [vm.vcpus for vm in repo.vms()] == [8]
