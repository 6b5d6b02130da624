"""The same steps have the same outcome at both faces and through the handlers alone."""

from __future__ import annotations

import json

import pytest

from prism_iac.errors import PrismError
from prism_iac.prism import Workspace
from prism_iac.provider.faces import Face
from tests.engine.faces.by_handlers import ByHandlers
from tests.engine.faces.cases import CASES, Case
from tests.engine.faces.program import program
from tests.engine.provider.platform_repo import WORKSPACE, PlatformRepo

PRIVATE_KEY = "PRIVATE KEY"


@pytest.mark.parametrize("face", Face)
def test_every_step_through_the_engine(repo: PlatformRepo, face: Face) -> None:
    project = repo.project
    for case in CASES:
        meddle(repo, case)
        if case.behind:
            assert project.refresh().changes == dict(case.refreshed), case.name
        project.program(program(case.declared, face))

        done = project.up(succeeds=case.refused is None)

        assert done.changes == dict(case.changes), case.name
        if case.refused:
            assert any(case.refused in error for error in done.errors), (case.name, done.errors)
        if face is Face.NATIVE:
            told = {name: done.step(name).detailed_diff for name in case.leaves}
            assert told == dict(case.leaves), case.name
        assert PRIVATE_KEY not in json.dumps(project.deployment()), case.name
    assert not repo.computations()
    assert not repo.assets()
    assert not repo.vm_records()


def test_every_step_through_the_handlers(repo: PlatformRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.project.folder)
    stack = ByHandlers(repo.data, WORKSPACE)
    try:
        for case in CASES:
            meddle(repo, case)
            if case.behind:
                assert stack.refresh() == dict(case.refreshed), case.name
            if case.refused is None:
                assert stack.up(case.declared) == dict(case.changes), case.name
            else:
                with pytest.raises(PrismError, match=case.refused):
                    stack.up(case.declared)
        assert not repo.computations()
        assert not repo.vm_records()
    finally:
        stack.close()


def meddle(repo: PlatformRepo, case: Case) -> None:
    """Do behind the stack's back what the case says."""

    def reword(workspace: Workspace) -> None:
        (computation,) = workspace.computations.list()
        workspace.computations.update(
            computation.id, name=computation.name, description="does something else"
        )

    def delete(workspace: Workspace) -> None:
        (computation,) = workspace.computations.list()
        workspace.computations.delete(computation.id)

    if case.behind:
        repo.look({"reword": reword, "delete": delete}[case.behind])
