"""What lives in a workspace comes under the management of a stack that does not know it."""

from __future__ import annotations

import json
import subprocess
import sys

from prism_iac.model import mark_of, unmarked
from tests.engine.provider.platform_repo import PlatformRepo

STACK = """\
workspace: research
environment: dev
participants:
  ada: {user: ada@example.com}
  grace: {user: grace@example.com}
  eve: {user: eve@example.com}
assets:
  one: {kind: dataset, provider: ada, file: ../numbers.txt, description: three numbers}
  two: {kind: algorithm, provider: grace, file: ../addition.py, description: adds them}
certificates:
  tls: {mode: mtls, key: {algorithm: ecdsa}, dns_names: [localhost]}
computations:
  sum:
    description: adds numbers
    algorithm: two
    datasets: [one]
    result_consumers: [ada, eve]
    participants: {eve: [run], grace: [edit]}
    agent: {tls: mtls, certificates: tls, log_level: debug}
  open: {description: in clear, algorithm: two, result_consumers: [ada], agent: {tls: none}}
"""
PROGRAM = """
    import prism_iac
    import pulumi

    stack = prism_iac.StackFile("stacks/dev.yaml")
    for name, value in stack.outputs.items():
        pulumi.export(name, value)
"""
ANOTHER_WORD = """
    prism_iac.Asset("numbers", asset_type="dataset", description="another word", workspace="research",
                    provider="ada@example.com", checksum="{checksum}", file_name="numbers.txt")
"""


def test_what_another_stack_made_is_adopted_with_an_empty_preview(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    file = project.write("stacks/dev.yaml", STACK)
    project.up()
    made = {state.id: state for state in project.state().values()}
    checksum = project.state()["one"].outputs["checksum"]
    file.unlink()
    forgotten = json.loads(project.pulumi("stack", "export"))
    forgotten["deployment"]["resources"] = []
    (project.folder / "empty.json").write_text(json.dumps(forgotten))
    project.pulumi("stack", "import", "--file", "empty.json")

    # A program that says something else of what is there is refused, and the state stays as it was.
    project.program(PROGRAM + ANOTHER_WORD.format(checksum=checksum))
    refused = _adopt(repo)
    assert refused.returncode == 1
    assert "the preview would not be empty: update Asset numbers" in refused.stderr
    assert project.state() == {}

    project.program(PROGRAM)
    done = _adopt(repo, "--force")
    assert done.returncode == 0, done.stderr
    assert project.preview().changes == {}
    adopted = {state.id: state for state in project.state().values()}
    assert set(adopted) - {""} == {
        key for key, state in made.items() if "CertificateBundle" not in state.type
    } - {""}
    computation = next(state for state in adopted.values() if state.name == "sum")
    assert "ciphertext" in computation.inputs["agent"]["server_key"]
    assert computation.outputs["manifest_sha3_256"] == made[computation.id].outputs["manifest_sha3_256"]

    # It is managed from here on: found by its mark, and a refresh sees what state says.
    record = repo.look(lambda workspace: workspace.computations.get(computation.id))
    _, mark = unmarked(record.description)
    assert mark == mark_of(computation.inputs["identity"])
    assert project.refresh().changes == {}


def _adopt(repo: PlatformRepo, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "prism_iac.cli", "adopt", "--workspace", "research", *arguments],
        cwd=repo.project.folder,
        env=repo.project.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
