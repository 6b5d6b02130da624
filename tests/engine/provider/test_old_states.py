"""States that earlier releases left behind preview empty, and can be refreshed and destroyed.

`states/` holds one for each release and face: the deployment that `pulumi stack export --show-secrets` gave after the
first `up` of `test_whole_life.py`, without times, places in source files and private keys.
"""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
import yaml

from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.engine.project import STACK, Project
from tests.engine.provider.platform_repo import PlatformRepo
from tests.engine.provider.test_whole_life import PROGRAM

NAMED = """
    import prism_iac

    prism_iac.Computation("sum", description="adds numbers")
"""
PRIVATE_KEY = json.dumps(json.dumps("a private key"))
STATES = sorted(Path(__file__).with_name("states").glob("*.json"))


def encrypted_as_in(project: Project, file: Path) -> dict[str, Any]:
    """A state with a private key in place of each, which the engine encrypts with a project's passphrase."""
    key = json.dumps(generate_key_pair(KeyAlgorithm.ED25519).private_pem.decode())
    text = file.read_text(encoding="utf-8").replace(PRIVATE_KEY, json.dumps(key))
    document: dict[str, Any] = json.loads(text)
    salt = yaml.safe_load((project.folder / f"Pulumi.{STACK}.yaml").read_text())["encryptionsalt"]
    document["deployment"]["secrets_providers"] = {"type": "passphrase", "state": {"salt": salt}}
    return document


@pytest.mark.fault(62)
@pytest.mark.parametrize("file", STATES, ids=lambda file: file.stem)
def test_a_state_of_an_earlier_release_previews_empty(repo: PlatformRepo, file: Path) -> None:
    project = repo.project
    state = str(project.write("old.json", json.dumps(encrypted_as_in(project, file))))
    project.pulumi("stack", "import", "--file", state)
    recorded = project.state()
    for user in ("ada", "grace"):
        project.write(f"{user}.pub.pem", recorded[f"key-{user}"].inputs["key"])
    is_native = "native" in file.stem
    # At the time of its making, so that no certificate is due.
    made = recorded["tls"].outputs["notBefore" if is_native else "not_before"]
    project.environ["PRISM_IAC_AT"] = made
    project.program(natively(PROGRAM) if is_native else PROGRAM)
    assert project.preview().changes == {}
    assert repo.backend is None


@pytest.mark.fault(63)
@pytest.mark.parametrize("protocol", [2, 5])
def test_a_state_that_another_python_wrote_previews_empty(repo: PlatformRepo, protocol: int) -> None:
    project = repo.project
    project.program(NAMED)
    project.up()
    document = json.loads(project.pulumi("stack", "export"))
    for resource in document["deployment"]["resources"]:
        for properties in (resource.get("inputs", {}), resource.get("outputs", {})):
            if "__provider" in properties:
                # Python 3.14 pickles with protocol 5, and the SDK of Python 2 did with 2.
                provider = pickle.loads(base64.b64decode(properties["__provider"]))  # noqa: S301  # our own bytes
                properties["__provider"] = base64.b64encode(pickle.dumps(provider, protocol)).decode()
    project.pulumi("stack", "import", "--file", str(project.write("other.json", json.dumps(document))))
    assert project.preview().changes == {}
    assert project.refresh().changes == {}
    project.destroy()
    assert repo.computations() == []


def natively(program: str) -> str:
    """A program that declares its resources for the native plugin."""
    imports, config, declared = dedent(program).partition("config = ")
    return f"{imports}with prism_iac.native_face():\n{indent(config + declared, '    ')}"


@pytest.mark.fault(62)
@pytest.mark.parametrize("file", STATES, ids=lambda file: file.stem)
def test_a_state_of_an_earlier_release_is_refreshed_and_destroyed(repo: PlatformRepo, file: Path) -> None:
    project = repo.project
    state = str(project.write("old.json", json.dumps(encrypted_as_in(project, file))))
    project.pulumi("stack", "import", "--file", state)
    names = set(project.state())
    assert len(names) == 10
    repo.start_backend()
    # Nothing of it is left at this backend; a bundle lives in the state alone.
    assert project.refresh().changes == dict.fromkeys(names - {"tls"}, "delete")

    project.pulumi("stack", "import", "--file", state)
    assert project.destroy().changes == dict.fromkeys(names, "delete")
    assert project.state() == {}
