"""What the state holds, and what becomes of objects that vanish."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.model.resources import CertificateBundle
from prism_iac.pki import issue_bundle
from tests.engine.provider.platform_repo import ADA, PlatformRepo, eventually

PROGRAM = """
    from pathlib import Path

    import prism_iac
    import pulumi

    ADA = "ada@example.com"
    certificates = prism_iac.CertificateBundle("tls", key={"algorithm": "ecdsa", "size": 256})
    vm = prism_iac.ConfidentialVM("bare-metal", provider="external", vcpus=4)
    policy = prism_iac.AttestationPolicy(
        "policy", path="policy.json", expectations={"pcr_values": {"sha256": {"0": "00" * 32}}}
    )
    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider=ADA, file="numbers.txt", description="three numbers"
    )
    computation = prism_iac.Computation(
        "sum",
        description="adds numbers",
        datasets=[numbers.id],
        result_consumers=[ADA],
        agent=certificates.agent_config("mtls"),
    )
    own = prism_iac.Computation(
        "own-key",
        description="brings its own key",
        agent={
            "tls": "tls",
            "cert_file": Path("agent.pem").read_text(),
            "server_key": Path("agent.key.pem").read_text(),
        },
    )
    prism_iac.Participant("eve", computation=computation.id, user="eve@example.com", actions=["view"])
    prism_iac.PublicKey("key", computation=computation.id, user=ADA, key=Path("ada.pub.pem").read_text())
    pulumi.export("server_key", certificates.server_key)
    pulumi.export("agent", own.agent)
"""


@pytest.fixture
def declared(repo: PlatformRepo) -> PlatformRepo:
    """A repository that declares everything that needs no VM of this machine."""
    settings = CertificateBundle.parse({"mode": "tls", "key": {"algorithm": "ecdsa"}})
    bundle = issue_bundle(settings, now=datetime.now(UTC))
    assert bundle.server_certificate is not None
    assert bundle.server_key is not None
    repo.project.write("agent.pem", bundle.server_certificate.decode())
    repo.project.write("agent.key.pem", bundle.server_key.decode())
    repo.project.program(PROGRAM)
    return repo


def test_numbers_are_whole(declared: PlatformRepo) -> None:
    project = declared.project
    project.up()

    # Numbers come as floats, and are the same.
    project.program(PROGRAM.replace("256}", "256.0}").replace("vcpus=4", "vcpus=4.0"))
    assert project.preview("--diff").changes == {}


@pytest.mark.fault(27)
def test_a_vm_that_was_started_anew_with_other_settings_is_shown_and_replaced(repo: PlatformRepo) -> None:
    project = repo.project
    project.program("import prism_iac; prism_iac.ConfidentialVM('trainer')")
    project.up()
    (vm,) = repo.vms()
    hypervisor = LocalHypervisor(repo.data)
    hypervisor.stop(vm.id)
    facts = vm.folder / "vm.json"
    facts.write_text(json.dumps(json.loads(facts.read_bytes()) | {"vcpus": 4}))
    hypervisor.start(vm.id)
    eventually((vm.folder / "evidence.sock").exists)

    project.refresh()
    step = project.preview().step("trainer")
    assert (step.op, step.replace_keys) == ("replace", ("vcpus",))
    project.up()
    assert [(item.id, item.vcpus) for item in repo.vms()] == [(project.state()["trainer"].id, 2)]
    assert project.preview().changes == {}


@pytest.mark.fault(24, 26)
def test_what_vanished_is_made_again(declared: PlatformRepo) -> None:
    project = declared.project
    project.up()
    first = project.state()
    with declared.workspace() as workspace:
        workspace.computations.delete(first["sum"].id)
        workspace.computations.delete(first["own-key"].id)
        workspace.cvms.delete(first["bare-metal"].id)
    with declared.workspace(ADA) as workspace:
        workspace.assets.delete(first["numbers"].id)
    (project.folder / "policy.json").unlink()

    gone = set(first) - {"tls"}
    assert project.refresh().changes == dict.fromkeys(gone, "delete")
    assert project.up().changes == dict.fromkeys(gone, "create")
    second = project.state()
    assert project.preview().changes == {}

    # Under the same identity once more, after everything was removed on purpose.
    project.destroy()
    assert (declared.computations(), declared.assets(), declared.vm_records()) == ([], [], [])
    project.up()
    third = project.state()
    assert declared.computations() == ["own-key", "sum"]
    assert declared.assets() == ["numbers.txt"]
    assert declared.vm_records() == [third["bare-metal"].id]
    for name in ("numbers", "bare-metal"):
        assert len({state[name].id for state in (first, second, third)}) == 3
    for name in ("sum", "own-key"):
        # A computation's id follows from its identity, so that its manifest is known before it exists.
        assert len({state[name].id for state in (first, second, third)}) == 1
