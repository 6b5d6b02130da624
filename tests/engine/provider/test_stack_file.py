"""The component that deploys a stack file."""

from __future__ import annotations

import pytest

from tests.engine.provider.platform_repo import PlatformRepo

STACK = """\
workspace: research
environment: dev
endpoint: embedded
participants:
  ada: {user: ada@example.com, public_key: ../ada.pub.pem}
  grace: {user: grace@example.com, public_key: ../grace.pub.pem}
assets:
  numbers: {kind: dataset, provider: ada, file: ../numbers.txt, description: three numbers}
  addition: {kind: algorithm, provider: grace, file: ../addition.py, runtime: python, description: adds them}
certificates:
  agent-tls: {mode: mtls, key: {algorithm: ecdsa}, dns_names: [localhost]}
vms:
  trainer: {provider: local}
attestation_policies:
  snp: {vm: trainer, path: policies/trainer.json}
computations:
  sum:
    description: adds numbers
    algorithm: addition
    datasets: [numbers]
    result_consumers: [ada]
    agent: {tls: mtls, certificates: agent-tls}
    vm: trainer
    run: on-change
    wait: false
    stop_on_delete: true
"""

PROGRAM = """
    import prism_iac
    import pulumi

    stack = prism_iac.StackFile("stacks/dev.yaml")
    for name, value in stack.outputs.items():
        pulumi.export(name, value)
"""


FINDINGS = """\
stacks/dev.yaml:9:41: assets.addition.provider: no participant is named "grce"
  Did you mean "grace"? They are declared under `participants:` (line 4).
stacks/dev.yaml:21:24: computations.sum.result_consumers[0]: no participant is named "eve"
  Choose one of: ada, grace. They are declared under `participants:` (line 4).
stacks/dev.yaml:22:18: computations.sum.agent.tls: must be one of the known words, not "mtl"
  Did you mean "mtls"?"""


@pytest.mark.fault(31)
def test_a_stack_file_is_deployed_changed_and_removed(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    file = project.write("stacks/dev.yaml", STACK)

    # One resource for each entry, and one for each public key; stack, component and provider besides.
    planned = project.preview()
    assert planned.summary == {"create": 12}
    assert not (repo.data / "backend").exists()
    done = project.up()
    assert (done.changes, done.summary) == (planned.changes, planned.summary)
    outputs = project.stack_outputs()
    assert outputs["certificates"] == "[secret]"
    assert outputs["vms"]["trainer"]["agent_address"] == repo.vms()[0].agent_address
    assert [outputs["runs"]["sum"]["id"]] == repo.runs()
    assert project.preview().changes == {}
    assert project.refresh().changes == {}

    file.write_text(STACK.replace("adds numbers", "adds three numbers"))
    for outcome in (project.preview(), project.up()):
        assert outcome.changes == {"sum": "update"}

    # Everything that is wrong is said in one message, and nobody is asked.
    repo.stop_backend()
    broken = STACK.replace("provider: grace", "provider: grce").replace("[ada]", "[eve]")
    file.write_text(broken.replace("tls: mtls", "tls: mtl"))
    for verb in (project.preview, project.up):
        assert verb(succeeds=False).errors[0] == FINDINGS
    assert repo.backend is None

    project.destroy()
    assert (repo.computations(), repo.assets(), repo.vm_records(), repo.vms()) == ([], [], [], ())
