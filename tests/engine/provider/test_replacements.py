"""Replacements that make the new object first, and old ones that do not go."""

from __future__ import annotations

import pytest

from prism_iac.testing.faults import Fault, FaultProxy, Rule
from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo

PROGRAM = """
    import prism_iac
    import pulumi

    first = pulumi.ResourceOptions(delete_before_replace=False)
    prism_iac.ConfidentialVM("trainer", provider="external", vcpus={}, opts=first)
"""


def names(repo: PlatformRepo) -> list[str]:
    return repo.look(lambda workspace: [vm.name for vm in workspace.cvms.list()])


@pytest.mark.fault(16)
def test_the_new_object_stands_beside_the_old_one_under_another_name(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM.format(2))
    project.up()
    (old,) = names(repo)
    project.program(PROGRAM.format(4))
    with Gate(repo.data) as gate:
        gate.hold_calls("DELETE .*/cvms/")
        running = project.start("up")
        running.until(lambda: bool(gate.held))
        (new,) = set(names(repo)) - {old}
        gate.release()
        assert running.finish().exit_code == 0
    assert names(repo) == [new]
    assert project.preview().changes == {}


@pytest.mark.fault(17, 25)
def test_an_old_object_that_could_not_be_deleted_goes_with_the_next_update(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM.format(2))
    project.up()
    (old,) = repo.vm_records()
    project.program(PROGRAM.format(4))
    never = Rule(Fault.EXPIRED, "DELETE .*/cvms/", times=1_000_000)
    with FaultProxy.before_embedded(repo.data, [never]):
        refused = project.up(succeeds=False)
    assert any("the token has expired" in error for error in refused.errors)
    assert len(repo.vm_records()) == 2
    project.up()
    (left,) = repo.vm_records()
    assert left == project.state()["trainer"].id != old
    assert project.preview().changes == {}

    # The same of a destroy: what could not be deleted stays in state.
    with FaultProxy.before_embedded(repo.data, [never]):
        project.destroy(succeeds=False)
    assert set(project.state()) == {"trainer"}
    project.destroy()
    assert repo.vm_records() == []
