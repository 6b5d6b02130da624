"""The engine is killed at every create; what it had begun is found again, and nothing is there twice."""

from __future__ import annotations

import pytest

from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo
from tests.engine.provider.programs import ONE_OF_EACH


def kill_engine_at(repo: PlatformRepo, gate: Gate, call: str) -> None:
    """Kill the engine after the backend has done a call and before the provider hears of it."""
    repo.kill_engine_at(gate, call)
    # What a user does who is told that the stack is locked.
    repo.project.pulumi("cancel", "--yes")


@pytest.mark.fault(4, 34, 71)
def test_a_kill_at_any_create_leaves_no_orphan_and_nothing_twice(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(ONE_OF_EACH)
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
