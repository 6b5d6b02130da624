"""Plans of the real engine, of both faces: what they tell is what the update does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from prism_iac.plan import Impact, Plan
from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo

PROGRAM = """
    import contextlib
    import prism_iac

    with {face}:
        certificates = prism_iac.CertificateBundle("tls", key={{"algorithm": "ecdsa"}}, dns_names={names})
        numbers = prism_iac.Asset(
            "numbers", asset_type="dataset", description="d", provider={provider}, file="numbers.txt"
        )
        prism_iac.Computation(
            "sum", description="adds", datasets=[numbers.id], agent=certificates.agent_config("mtls")
        )
        if {extra}:
            prism_iac.Asset("more", asset_type="dataset", description="d", file="addition.py")
"""
FACES = {"dynamic": "contextlib.nullcontext()", "native": "prism_iac.native_face()"}


@pytest.mark.parametrize("face", FACES)
def test_what_is_planned_is_what_the_engine_does(repo: PlatformRepo, face: str) -> None:
    project = repo.project

    def declare(**values: object) -> None:
        project.program(PROGRAM.format(face=FACES[face], **values))

    declare(names=["a.example"], provider="'ada@example.com'", extra=True)
    project.up()
    # Other certificates, which the computation follows; an asset of somebody else; one less.
    declare(names=["b.example"], provider="'grace@example.com'", extra=False)
    planned, said = plan(project), project.up().changes
    assert {item.name: item.effect.value for item in planned.changes} == said
    changes = {item.name: item for item in planned.changes}
    assert {name: item.effect.value for name, item in changes.items()} == {
        "tls": "update",
        "numbers": "replace",
        "sum": "update",
        "more": "delete",
    }
    (names,) = changes["tls"].fields
    assert (names.path, names.old, names.new) == ("dns_names[0]", "a.example", "b.example")
    key = next(item for item in changes["sum"].fields if item.path == "agent.server_key")
    assert key.secret
    assert key.is_open
    assert (key.old or "").startswith("secret ")
    assert changes["tls"].has(Impact.FETCH)
    assert plan(project).changes == ()


def plan(project: Project) -> Plan:
    command = [sys.executable, "-m", "prism_iac.cli", "plan", "--stack", "dev", "--format", "json"]
    done = subprocess.run(command, cwd=project.folder, env=project.environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"PRIVATE KEY" not in done.stdout + done.stderr
    return Plan.model_validate_json(done.stdout)
