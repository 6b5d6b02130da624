"""What a reviewer sees of trust: measurements before they count, policies that get looser, VMs that were swapped."""

from __future__ import annotations

import base64
import json
from typing import Any

from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.hypervisor.local._launch import PACKAGE, agent_digest, launch_measurement
from prism_iac.model import Platform, VmStatus
from tests.engine.provider.platform_repo import PlatformRepo, eventually
from tests.unit.attestation.measurement.firmware import firmware

PROGRAM = """
    import prism_iac

    prism_iac.StackFile("stacks/prod.yaml")
"""

STACK = """\
workspace: research
environment: prod
endpoint: embedded
participants:
  grace: {user: grace@example.com}
attestation_policies:
  snp:
    path: policies/snp.json
    expectations: {rootOfTrust: {productLine: Milan}, policy: {vmpl: 2, policy: "196608"}}
    launch: {firmware: ../OVMF.fd, kernel: ../vmlinuz, cmdline: quiet, vcpus: 2, vcpu_type: EPYC-Milan}
    minimum_tcb: {snp: 8}
"""

APPROVED = """\
    approvals: [{change: minimum_tcb, by: grace, reason: old machines, until: 2999-12-31}]
"""

VM = """
    import prism_iac

    prism_iac.ConfidentialVM("trainer")
"""


HELD = """\
workspace: research
environment: dev
attestation_policies:
  simulated:
    expectations:
      rootOfTrust: {productLine: SIMULATED}
      policy: {policy: "196608", vmpl: 2, hostData: HOST_DATA}
    measurement: MEASUREMENT
    minimum_tcb: {boot_loader: 1, snp: 1}
vms:
  trainer: {provider: local, attestation_policy: simulated}
"""


def measured(step: Any) -> list[str]:
    return [side["inputs"]["measurement"] for side in (step.old, step.new)]


def test_a_preview_shows_the_measurement_and_prod_gets_looser_only_by_approval(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    (project.folder / "OVMF.fd").write_bytes(firmware(0x10000))
    kernel = project.write("vmlinuz", "kernel 1\n")
    stack = project.write("stacks/prod.yaml", STACK)

    planned = project.preview()
    measurement = planned.step("snp").new["inputs"]["measurement"]
    assert project.up().changes == {"prod": "create", "snp": "create"}
    assert project.preview().changes == {}
    assert project.refresh().changes == {}
    assert len(bytes.fromhex(measurement)) == 48

    # Another kernel is another measurement, and the plan says which file it was.
    kernel.write_text("kernel 2\n")
    for outcome in (project.preview(), project.up()):
        step = outcome.step("snp")
        assert outcome.changes == {"snp": "update"}
        assert step.detailed_diff == {"launch_digests.kernel": "update", "measurement": "update"}
        old, new = measured(step)
        assert (old, new != old) == (measurement, True)
    assert project.preview().changes == {}
    written = json.loads((project.folder / "policies" / "snp.json").read_text())
    assert written["policy"]["measurement"]

    # A lower least TCB is looser: neither planned nor done, unless somebody has approved it.
    looser = STACK.replace("{snp: 8}", "{snp: 7}")
    stack.write_text(looser)
    for verb in (project.preview, project.up):
        (error, *_) = verb(succeeds=False).errors
        assert "minimum_tcb: gets looser, from 0.0.0.0.0.0.8.0 to 0.0.0.0.0.0.7.0" in error
        assert "approvals: [{change: minimum_tcb, by: NAME, reason: WHY, until: DAY}]" in error
    assert json.loads((project.folder / "policies" / "snp.json").read_text()) == written
    # Nor does another name of the environment help.
    stack.write_text(looser.replace("environment: prod", "environment: dev"))
    assert any("requires_approval: gets looser" in error for error in project.preview(succeeds=False).errors)
    stack.write_text(looser + APPROVED)
    for outcome in (project.preview(), project.up()):
        assert outcome.changes == {"snp": "update"}
    assert project.preview().changes == {}
    # Trust gets tighter without anybody's leave.
    stack.write_text(STACK)
    assert project.up().changes == {"snp": "update"}


def test_a_refresh_shows_a_vm_that_was_swapped(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(VM)
    project.up()
    assert project.refresh().changes == {}
    before = project.state()["trainer"].outputs
    assert before["attestation"] == "accepted"

    # Somebody starts it again as another machine, under its name and address.
    (vm,) = repo.vms()
    hypervisor = LocalHypervisor(repo.data)
    hypervisor.stop(vm.id)
    facts = vm.folder / "vm.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"vcpus": 4}))
    hypervisor.start(vm.id)
    eventually(
        lambda: (
            repo.look(lambda workspace: workspace.cvms.get(vm.id).status) is VmStatus.ONLINE
            and (vm.folder / "evidence.sock").exists()
        )
    )

    assert project.refresh().changes == {"trainer": "update"}
    after = project.state()["trainer"].outputs
    assert after["measurement"] != before["measurement"]
    assert after["attestation"].startswith("refused; launch measurement is ")
    assert after["attestation_policy"] == before["attestation_policy"]
    # Its vCPUs are seen as well, so another one takes its place.
    assert project.preview().changes == {"trainer": "replace"}
    assert project.up().changes == {"trainer": "replace"}
    assert project.state()["trainer"].outputs["attestation"] == "accepted"
    assert project.refresh().changes == {}
    assert project.preview().changes == {}


def test_a_vm_is_held_to_the_policy_that_is_declared_for_it(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    measurement = launch_measurement(Platform.SEV_SNP, 2, agent_digest=agent_digest(PACKAGE))
    text = HELD.replace("MEASUREMENT", measurement.hex())
    text = text.replace("HOST_DATA", base64.b64encode(bytes(32)).decode())
    stack = project.write("stacks/prod.yaml", text)
    assert project.up().changes == {"prod": "create", "simulated": "create", "trainer": "create"}
    assert project.state()["trainer"].outputs["attestation"] == "accepted"
    assert project.preview().changes == {}
    assert project.refresh().changes == {}

    # A least TCB that the machine does not have: the plan has both, and the VM does not come through.
    stack.write_text(text.replace("snp: 1}", "snp: 2}"))
    assert project.preview().changes == {"simulated": "update", "trainer": "update"}
    failed = project.up(succeeds=False)
    assert any("reported TCB, SNP is 1, not at least 2" in error for error in failed.errors)
    # What failed was not recorded, so the way back is that of the policy alone.
    stack.write_text(text)
    assert project.up().changes == {"simulated": "update"}
    assert project.state()["trainer"].outputs["attestation"] == "accepted"
    assert project.preview().changes == {}
