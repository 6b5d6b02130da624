"""What is said of a manifest before it exists, and what is there after an update."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.engine.provider.platform_repo import PlatformRepo

STACK = """
environment: dev
workspace: research
participants:
  ada: {user: ada@example.com, public_key: ada.pub.pem}
  grace: {user: grace@example.com, public_key: grace.pub.pem}
assets:
  addition: {kind: algorithm, provider: grace, file: addition.py}
  numbers: {kind: dataset, provider: ada, file: numbers.txt}
attestation_policies:
  tpm:
    expectations: {policy: {vmpl: 2}, pcr_values: {sha256: {"0": ZEROS}}}
    measurement: MEASUREMENT
    manifest: sum
computations:
  sum: {description: Adds, algorithm: addition, datasets: [numbers], result_consumers: [ada, grace], agent: {tls: none}}
""".replace("ZEROS", f'"{"00" * 32}"').replace("MEASUREMENT", "c" * 96)


def render(repo: PlatformRepo) -> dict[str, object]:
    command = [sys.executable, "-m", "prism_iac.cli", "manifest", "render", "--stack", "dev.yaml", "--json"]
    done = subprocess.run(command, cwd=repo.project.folder, check=True, capture_output=True)
    (document,) = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def test_a_policy_expects_the_manifest_that_was_rendered_and_prism_returns(repo: PlatformRepo) -> None:
    repo.project.write("dev.yaml", STACK)
    repo.project.program("import prism_iac\n\nprism_iac.StackFile('dev.yaml')\n")
    rendered = render(repo)
    repo.project.up()
    (computation,) = repo.look(lambda workspace: [*workspace.computations.list()])
    assert (
        repo.look(lambda workspace: workspace.computations.manifest(computation.id)) == rendered["manifest"]
    )
    path = repo.project.folder / ".prism" / "policies" / "tpm.json"
    registers = json.loads(path.read_text())["pcr_values"]
    assert {bank: values["16"] for bank, values in registers.items()} == rendered["pcr16"]
    assert registers["sha256"]["0"] == "00" * 32
    assert repo.project.preview().changes == {}
    repo.numbers.write_text("1\n2\n")
    assert repo.project.preview().changes == {"numbers": "update", "tpm": "update"}
    changed = render(repo)
    assert changed["pcr16"] != rendered["pcr16"]
    repo.project.up()
    registers = json.loads(path.read_text())["pcr_values"]
    assert {bank: values["16"] for bank, values in registers.items()} == changed["pcr16"]
