"""A job logs in to Pulumi Cloud by its ID token, which no command line shows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from tests.unit.forge.gitlab import read_template
from tests.unit.forge.runner import Machine, read_workflow
from tests.unit.forge.stand_in import StandIn, standing_in

ROOT: Final = Path(__file__).parents[3]
OWN: Final = {"ORGANIZATION": "research", "TEAM": ""}
CLOUD: Final = "https://cloud.example"
PULUMI: Final = """\
#!/bin/sh
printf '%s\\n' "$@" > "$HOME/arguments"
cat "${4#file://}" > "$HOME/shown"
"""


def log_in(machine: Machine, script: str, **own: str) -> tuple[list[str], str]:
    """The arguments of `pulumi` in a project that is set up, and the token in the file that they name."""
    place = machine.place()
    project = place / "workspace"
    (project / ".prism").mkdir()
    (project / ".venv").symlink_to(sys.prefix)
    (project / "bin").mkdir()
    (project / "bin/pulumi").write_text(PULUMI, encoding="utf-8")
    (project / "bin/pulumi").chmod(0o755)
    # A project that names no backend keeps its state beside it, says the real one.
    exports = f'export PATH="{project}/bin:$PATH" PULUMI_BACKEND_URL=file://{project}/.prism/state\n'
    (project / ".prism/env.sh").write_text(exports, encoding="utf-8")
    assert machine.script(script, place, own={**OWN, "RUNNER_TEMP": place / "temp", **own}), machine.said
    arguments = (place / "arguments").read_text(encoding="utf-8").splitlines()
    return arguments, (place / "shown").read_text(encoding="utf-8")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "machine").mkdir()
    return Machine(tmp_path / "machine", tmp_path, {})


def github_script() -> str:
    steps = read_workflow(ROOT / ".github/workflows/stacks.yml")["jobs"]["update"]["steps"]
    return str(next(step["run"] for step in steps if step.get("name") == "Log in"))


def of_organization(server: StandIn, token: str) -> bool:
    keys = jwt.PyJWKSet.from_dict(server.public("/keys"))
    return bool(jwt.decode(token, keys["1"], algorithms=["RS256"], audience="urn:pulumi:org:research"))


def test_github_is_asked_for_a_token_for_the_organization_alone(machine: Machine) -> None:
    with standing_in() as server:
        server.key = generate_private_key(65537, 2048)
        arguments, shown = log_in(machine, github_script(), BACKEND=CLOUD, **server.github())
        assert of_organization(server, shown)
    login, backend, flag, file, *rest = arguments
    assert (login, backend, flag) == ("login", CLOUD, "--oidc-token")
    assert rest == ["--oidc-org", "research"]
    assert Path(file.removeprefix("file://")).stat().st_mode & 0o077 == 0
    assert shown not in machine.said


def test_gitlab_has_given_the_token_already(machine: Machine) -> None:
    jobs = read_template(ROOT / "templates/stacks.yml", {"stacks": ["dev"], "prism-iac": "prism-iac"})
    script = jobs["update"]["before_script"][-1]
    arguments, shown = log_in(machine, script, IDENTITY="a.b.c", PULUMI_BACKEND_URL=CLOUD, TEAM="platform")
    assert shown == "a.b.c"
    assert "a.b.c" not in arguments
    assert arguments[:2] == ["login", CLOUD]
    assert arguments[4:] == ["--oidc-org", "research", "--oidc-team", "platform"]
    assert Path(arguments[3].removeprefix("file://")).stat().st_mode & 0o077 == 0
