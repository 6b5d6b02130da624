"""What the native face has beyond the dynamic one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from prism_iac.prism import start_embedded
from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo
from tests.engine.provider.test_stack_configuration import PASSPHRASE, STACK, bring_encrypted_key

OBJECTS = """
    import prism_iac
    import pulumi

    with prism_iac.native_face():
        numbers = prism_iac.Asset(
            "numbers", asset_type="dataset", provider="ada@example.com", file="numbers.txt", description="n"
        )
        computation = prism_iac.Computation(
            "sum", description="adds", datasets=[numbers.id], agent={"log_level": "info"}
        )
        grant = prism_iac.Participant(
            "eve", computation=computation.id, user="eve@example.com", actions=["view", "run"]
        )
        vm = prism_iac.ConfidentialVM("trainer", vcpus=1)
"""
# An asset knows the digest of its file, not where the file lies.
AS_IMPORTED = OBJECTS.replace('file="numbers.txt"', 'checksum="CHECKSUM", file_name="numbers.txt"')

TOKENS = {"numbers": "Asset", "sum": "Computation", "eve": "Participant", "trainer": "ConfidentialVM"}

REMOTE = """
    import pulumi

    class StackFile(pulumi.ComponentResource):
        computations: pulumi.Output[dict]

        def __init__(self, name, path):
            inputs = {"path": path, "computations": None}
            super().__init__("prism:index:StackFile", name, inputs, None, remote=True)

    pulumi.export("computations", StackFile("demo", "stack.yaml").computations)
"""
ASKING = """
    asked = pulumi.runtime.invoke("prism:index:listComputations", {"workspace": "research"})
    pulumi.export("names", [item["name"] for item in asked.value["computations"]])
"""
STACK_FILE = """
    environment: dev
    workspace: research
    participants:
      ada: {user: ada@example.com, public_key: ada.pub.pem}
      grace: {user: grace@example.com, public_key: grace.pub.pem}
    assets:
      numbers: {kind: dataset, provider: ada, file: numbers.txt, description: three numbers}
      addition: {kind: algorithm, provider: grace, file: addition.py, runtime: python, description: adds}
    certificates:
      tls: {mode: mtls, key: {algorithm: ecdsa, size: 256}, dns_names: [localhost]}
    computations:
      sum:
        description: adds numbers
        algorithm: addition
        datasets: [numbers]
        result_consumers: [ada]
        agent: {tls: mtls, certificates: tls}
"""


def test_what_a_stack_forgot_is_taken_over_by_its_id(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(OBJECTS)
    project.up()
    known = project.state()
    project.program("")
    for name in ("eve", "sum", "numbers", "trainer"):
        project.pulumi("state", "delete", known[name].urn, "--yes")
    assert not project.state()

    project.program(AS_IMPORTED.replace("CHECKSUM", known["numbers"].outputs["checksum"]))
    for name in ("numbers", "sum", "eve", "trainer"):
        flags = ("--yes", "--generate-code=false", "--protect=false")
        project.pulumi("import", f"prism:index:{TOKENS[name]}", name, known[name].id, *flags)

    assert {name: item.id for name, item in project.state().items()} == {
        name: item.id for name, item in known.items()
    }
    assert project.preview().changes == {}
    assert project.up().changes == {}
    project.destroy()
    assert not repo.vm_records()


@pytest.mark.fault(32)
def test_an_import_of_what_is_not_there_or_not_kept_says_so(repo: PlatformRepo) -> None:
    project = repo.project
    repo.start_backend()
    with repo.workspace() as workspace:
        computation = workspace.computations.create(name="sum", description="adds")

    absent = import_of(project, "Computation", "7f1c0000-0000-4000-8000-000000000000")
    assert "7f1c0000-0000-4000-8000-000000000000: there is no Computation with this id\n" in absent
    assert "Check the id, its kind and its workspace: <id>, or <workspace>/<id>." in absent

    wrong_kind = import_of(project, "Asset", computation)
    assert f"{computation}: there is no Asset with this id; its kind is Computation\n" in wrong_kind

    wrong_workspace = import_of(project, "Computation", f"reserch/{computation}")
    assert 'id: there is no workspace "reserch" to see' in wrong_workspace
    with start_embedded(repo.data) as backend:
        assert backend.accounts.as_admin().domains.find("reserch") is None

    kept_elsewhere = import_of(project, "CertificateBundle", "tls")
    assert "its keys are in the state of its stack alone" in kept_elsewhere
    assert "Traceback" not in kept_elsewhere


def test_a_stack_file_is_deployed_from_a_program_of_any_language(repo: PlatformRepo) -> None:
    project = repo.project
    project.write("stack.yaml", STACK_FILE)
    project.program(REMOTE)
    assert set(project.preview().changes) >= {"demo", "sum", "numbers", "addition", "tls"}
    assert repo.backend is None

    project.up()
    assert repo.computations() == ["sum"]
    assert project.state()["sum"].type == "prism:index:Computation"
    assert project.stack_outputs()["computations"] == {"sum": {"id": project.state()["sum"].id}}
    assert project.preview().changes == {}

    project.program(REMOTE + ASKING)
    assert project.up().changes == {}
    assert project.stack_outputs()["names"] == ["sum"]

    project.write("stack.yaml", STACK_FILE.replace("description: adds numbers", "description: '  '"))
    refused = project.preview(succeeds=False)
    assert any("computations.sum.description: must not be empty" in error for error in refused.errors), (
        refused.text
    )
    project.write("stack.yaml", STACK_FILE)
    project.destroy()
    assert repo.computations() == []


def test_the_component_reads_the_secrets_of_the_programs_stack(repo: PlatformRepo) -> None:
    project = repo.project
    bring_encrypted_key(project)
    project.write("stack.yaml", STACK)
    project.program(REMOTE)
    missing = project.preview(succeeds=False)
    assert "stack.yaml:14:19: certificates.brought.files.passphrase" in missing.text
    project.set_config("brought-passphrase", PASSPHRASE, secret=True)
    assert PASSPHRASE not in project.up().text
    assert PASSPHRASE not in json.dumps(project.deployment(show_secrets=True))
    assert project.preview().changes == {}


def test_a_timeout_ends_a_wait_and_keeps_what_was_made(repo: PlatformRepo) -> None:
    project = repo.project
    project.program("""
        import prism_iac
        import pulumi

        timeouts = pulumi.CustomTimeouts(create="1ms")
        with prism_iac.native_face():
            prism_iac.ConfidentialVM("trainer", opts=pulumi.ResourceOptions(custom_timeouts=timeouts))
    """)
    failed = project.up(succeeds=False)
    assert any("not done within the 0.001 s of its timeout" in error for error in failed.errors)
    assert repo.vm_records() == [project.state()["trainer"].id]

    project.program("""
        import prism_iac

        with prism_iac.native_face():
            prism_iac.ConfidentialVM("trainer")
    """)
    assert project.up().changes == {"trainer": "update"}
    assert repo.vm_records() == [project.state()["trainer"].id]
    project.destroy()


def test_the_tools_of_the_engine_read_the_schema(project: Project) -> None:
    schema = json.loads(project.pulumi("package", "get-schema", plugin()))
    checked = project.write("schema.json", json.dumps(schema))
    project.pulumi("schema", "check", str(checked))
    assert "prism:index:Computation" in schema["resources"]


def plugin() -> str:
    """The plugin's program, which the package installs."""
    return str(Path(sys.prefix) / "bin" / "pulumi-resource-prism")


def import_of(project: Project, kind: str, object_id: str) -> str:
    """What an import that fails says."""
    flags = ("--yes", "--generate-code=false", "--non-interactive")
    done = subprocess.run(
        ("pulumi", "import", f"prism:index:{kind}", "it", object_id, *flags),
        cwd=project.folder,
        env=project.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr
