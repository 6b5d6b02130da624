"""A stack moves from one face to the other and back; nothing is made anew."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from prism_iac.provider.faces import Face
from tests.engine.faces.cases import CASES
from tests.engine.faces.program import program
from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo

DECLARED = next(case.declared for case in CASES if case.name == "a secret")


@pytest.mark.fault(64)
def test_a_stack_moves_to_the_other_face_and_back(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(program(DECLARED, Face.DYNAMIC))
    project.up()
    before = ids(project)

    for face in (Face.NATIVE, Face.DYNAMIC):
        project.program(program(DECLARED, face))
        code, said = switch(project, face)
        assert code == 0, said
        assert project.refresh().changes == {}
        assert project.up().changes == {}
        assert ids(project) == before
        assert "PRIVATE KEY" not in json.dumps(project.deployment()) + said

    # A program of the other face would make everything anew.
    kept = project.state(show_secrets=True)
    code, said = switch(project, Face.NATIVE)
    assert code == 1
    assert "the preview would not be empty" in said
    assert project.state(show_secrets=True) == kept

    project.destroy()
    assert repo.computations() == []


def ids(project: Project) -> dict[str, str]:
    return {name: item.id for name, item in project.state().items()}


def switch(project: Project, face: Face) -> tuple[int, str]:
    """Run the command; gives its exit code and what it says."""
    done = subprocess.run(
        (sys.executable, "-m", "prism_iac.cli", "switch", face.value),
        cwd=project.folder,
        env=project.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
