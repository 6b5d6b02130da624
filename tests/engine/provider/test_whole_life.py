"""A platform repository that declares every kind of resource, from the first preview to the last delete."""

from __future__ import annotations

import json

import pytest

from tests.engine.provider.platform_repo import PlatformRepo
from tests.unit.provider.references import REFERENCES

PROGRAM = """
    from pathlib import Path

    import prism_iac
    import pulumi

    config = pulumi.Config()
    ADA, GRACE = "ada@example.com", "grace@example.com"

    certificates = prism_iac.CertificateBundle(
        "tls", mode="mtls", key={"algorithm": "ecdsa"}, dns_names=["localhost"], ip_addresses=["127.0.0.1"]
    )
    vm = prism_iac.ConfidentialVM("trainer", vcpus=config.get_int("vcpus") or 2)
    policy = prism_iac.AttestationPolicy("policy", path="policies/trainer.json", vm=vm.id)
    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider=ADA, file="numbers.txt", description="three numbers"
    )
    addition = prism_iac.Asset(
        "addition", asset_type="algorithm", provider=GRACE, file="addition.py", description="adds them"
    )
    computation = prism_iac.Computation(
        "sum",
        description=config.get("description") or "adds numbers",
        algorithm=addition.id,
        datasets=[numbers.id],
        result_consumers=[ADA],
        agent=certificates.agent_config("mtls"),
    )
    prism_iac.Participant("eve", computation=computation.id, user="eve@example.com", actions=["view", "run"])
    keys = [
        prism_iac.PublicKey(
            f"key-{user}",
            computation=computation.id,
            user=f"{user}@example.com",
            key=Path(f"{user}.pub.pem").read_text(),
        )
        for user in ("ada", "grace")
    ]
    run = prism_iac.ComputationRun(
        "first-run",
        computation=computation.id,
        vm=vm.id,
        wait=False,
        stop_on_delete=True,
        opts=pulumi.ResourceOptions(depends_on=keys),
    )
    pulumi.export("vm", vm.id)
    pulumi.export("vcpus", vm.vcpus)
    pulumi.export("computation", computation.id)
    pulumi.export("server_key", certificates.server_key)
"""

EVERYTHING = {
    "tls",
    "trainer",
    "policy",
    "numbers",
    "addition",
    "sum",
    "eve",
    "key-ada",
    "key-grace",
    "first-run",
}


@pytest.mark.fault(27, 31)
def test_every_kind_goes_through_its_whole_life(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)

    # A preview starts nothing and calls nobody.
    planned = project.preview()
    assert planned.changes == dict.fromkeys(EVERYTHING, "create")
    assert not (repo.data / "backend").exists()

    done = project.up()
    assert done.changes == planned.changes
    state = project.state()
    # Nothing of the provider's code is in the state, so a change of it is never a change of a resource.
    assert {item.type.rpartition(":")[2]: item.inputs["__provider"] for item in state.values()} == REFERENCES
    assert repo.vm_records() == [state["trainer"].id]
    assert [vm.running for vm in repo.vms()] == [True]
    assert json.loads((project.folder / "policies" / "trainer.json").read_text())["policy"]
    assert state["trainer"].outputs["vcpus"] == project.stack_outputs()["vcpus"] == 2
    assert repo.runs() == [state["first-run"].id]

    # Nothing else to do, also while the backend is down; a refresh sees no difference either.
    before = project.state(show_secrets=True)
    assert project.refresh().changes == {}
    after = project.state(show_secrets=True)
    assert {name: item.inputs for name, item in after.items()} == {
        name: item.inputs for name, item in before.items()
    }
    repo.stop_backend()
    assert project.preview().changes == {}
    assert repo.backend is None

    # Another description is an update in place; it starts the backend.
    project.set_config("description", "adds three numbers")
    for outcome in (project.preview(), project.up()):
        assert outcome.changes == {"sum": "update"}
        assert outcome.step("sum").detailed_diff == {"description": "update"}
    assert project.state()["sum"].id == state["sum"].id
    description = repo.look(lambda workspace: workspace.computations.get(state["sum"].id).description)
    assert description.startswith("adds three numbers ")
    assert project.preview().changes == {}

    # Another number of processors is another VM; the run that goes on there is stopped before, as it allows.
    project.set_config("vcpus", "4")
    for outcome in (project.preview(), project.up()):
        assert outcome.changes == {"trainer": "replace", "first-run": "replace", "policy": "update"}
        assert outcome.step("trainer").replace_keys == ("vcpus",)
    (vm,) = repo.vms()
    assert vm.vcpus == 4
    assert repo.vm_records() == [vm.id]
    assert vm.id != state["trainer"].id
    assert project.preview().changes == {}

    # What somebody changed behind the back is seen by a refresh, planned and repaired.
    with repo.workspace() as workspace:
        record = workspace.computations.get(state["sum"].id)
        changed = record.description.replace("adds", "subtracts")
        workspace.computations.update(record.id, name=record.name, description=changed)
    assert project.preview().changes == {}
    assert project.refresh().changes == {"sum": "update"}
    for outcome in (project.preview(), project.up()):
        assert outcome.changes == {"sum": "update"}
        assert outcome.step("sum").detailed_diff == {"description": "update"}
    assert (
        repo.look(lambda workspace: workspace.computations.get(record.id).description) == record.description
    )

    assert project.destroy().changes == dict.fromkeys(EVERYTHING, "delete")
    assert project.state() == {}
    assert (repo.computations(), repo.assets(), repo.vm_records(), repo.vms()) == ([], [], [], ())
    assert not (project.folder / "policies" / "trainer.json").exists()
