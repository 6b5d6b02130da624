"""A stack moves from one face to the other and back; nothing is made anew."""

from __future__ import annotations

import json
from typing import Any

from prism_iac.provider.faces import Face, convert
from tests.engine.faces.cases import CASES
from tests.engine.faces.program import program
from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo

DECLARED = next(case.declared for case in CASES if case.name == "a secret")


def test_a_stack_moves_to_the_other_face_and_back(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(program(DECLARED, Face.DYNAMIC))
    project.up()
    before = ids(project)

    for face in (Face.NATIVE, Face.DYNAMIC):
        replace_state(project, convert(state_in_plain(project), to=face))
        project.program(program(DECLARED, face))
        assert project.preview().changes == {}
        assert project.refresh().changes == {}
        assert project.up().changes == {}
        assert ids(project) == before
        assert "PRIVATE KEY" not in json.dumps(project.deployment())

    project.destroy()
    assert repo.computations() == []


def ids(project: Project) -> dict[str, str]:
    return {name: item.id for name, item in project.state().items()}


def state_in_plain(project: Project) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(project.pulumi("stack", "export", "--show-secrets"))
    return state


def replace_state(project: Project, state: dict[str, Any]) -> None:
    file = project.write("state.json", json.dumps(state))
    project.pulumi("stack", "import", "--file", str(file))
    file.unlink()
