"""`prism-iac diagnose`: each check finds what it looks for, over the real backend, with the thing really broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from prism_iac.agent import AgentRefused
from prism_iac.hypervisor import open_hypervisor
from prism_iac.lifecycle import Live
from prism_iac.model import VmProvider
from prism_iac.prism import AgentConfigRecord
from tests.contract.cli.command_line import SameProcess
from tests.contract.lifecycle.stage import ADA, GRACE, Stage, eventually


def diagnosed(quick: SameProcess, *more: str) -> dict[str, dict[str, str]]:
    """What each check found."""
    ended = quick.run("diagnose", "sum", "--json", *more)
    report = json.loads(ended.out)
    assert (ended.code == 0) is report["ok"]
    return {check.pop("name"): check for check in report["checks"]}


def failures(quick: SameProcess, *more: str) -> dict[str, str]:
    """The causes that were found; every failure says what to do."""
    found = {name: check for name, check in diagnosed(quick, *more).items() if check["verdict"] == "failed"}
    assert all(check["fix"] for check in found.values())
    return {name: check["cause"] for name, check in found.items()}


@pytest.fixture
def runnable(stage: Stage, computation: Live[Any]) -> Live[Any]:
    stage.register_keys(computation, ADA, GRACE)
    return computation


@pytest.fixture
def run(stage: Stage, runnable: Live[Any], vm: Live[Any]) -> Iterator[Live[Any]]:
    yield (run := start(stage, runnable, vm))
    stage.delete(run)


def start(stage: Stage, computation: Live[Any], vm: Live[Any]) -> Live[Any]:
    return stage.create(
        "ComputationRun", "run", computation=computation.id, vm=vm.id, wait=False, stop_on_delete=True
    )


def status_of(stage: Stage, computation_id: str) -> str | None:
    run = stage.workspace.computations.latest_run(computation_id)
    return run.status if run else None


def policy_of(quick: SameProcess, stage: Stage, vm: Live[Any]) -> tuple[str, ...]:
    """The options that name the policy of a VM and the root of its platform, written to files."""
    policy, roots = quick.folder / "policy.json", quick.folder / "roots.pem"
    policy.write_bytes(stage.workspace.cvms.attestation_policy(vm.id))
    roots.write_bytes(open_hypervisor(VmProvider.LOCAL, data=stage.data).evidence_roots() or b"")
    return ("--policy", str(policy), "--roots", str(roots))


@pytest.mark.usefixtures("runnable", "vm")
def test_a_computation_that_can_run_is_fine(quick: SameProcess) -> None:
    found = diagnosed(quick)
    assert {name for name, check in found.items() if check["verdict"] == "ok"} == {
        "roles", "assets", "keys", "TLS files", "VM",
    }  # fmt: skip
    assert {check["verdict"] for check in found.values()} == {"ok", "skipped"}


@pytest.mark.usefixtures("vm")
def test_a_computation_without_anybody(quick: SameProcess, stage: Stage) -> None:
    stage.computation()
    assert failures(quick) == {
        "roles": "nobody provides the algorithm and nobody consumes the result",
        "assets": "no algorithm is linked",
    }


@pytest.mark.usefixtures("vm")
def test_a_dataset_that_was_unlinked(quick: SameProcess, stage: Stage, runnable: Live[Any]) -> None:
    (dataset,) = runnable.state.datasets
    stage.session.acting_for(ADA, stage.workspace_name).assets.unlink(dataset, runnable.id)
    assert failures(quick) == {"assets": "no dataset is linked"}


@pytest.mark.usefixtures("vm")
def test_an_owner_without_the_role(quick: SameProcess, stage: Stage, runnable: Live[Any]) -> None:
    roles = stage.workspace.roles
    (role,) = (role for role in roles.list(runnable.id) if "algo_provider" in role.actions)
    eve = stage.session.user("eve@example.com", stage.workspace_name)
    roles.add_members(runnable.id, role.id, [eve.id])
    roles.remove_members(runnable.id, role.id, [stage.session.user(GRACE, stage.workspace_name).id])
    assert failures(quick)["assets"] == "its owner does not hold the provider's role any more"


@pytest.mark.usefixtures("computation", "vm")
def test_keys_that_are_missing_are_told_by_name(quick: SameProcess) -> None:
    assert failures(quick) == {"keys": f"no public key is registered for {ADA}, {GRACE}"}


@pytest.mark.usefixtures("runnable")
def test_no_vm(quick: SameProcess) -> None:
    assert failures(quick) == {"VM": "the workspace has no VM"}


@pytest.mark.usefixtures("run")
def test_a_vm_that_is_gone_from_under_its_run(quick: SameProcess, stage: Stage, vm: Live[Any]) -> None:
    open_hypervisor(VmProvider.LOCAL, data=stage.data).remove(vm.id)
    eventually(lambda: stage.workspace.cvms.get(vm.id).status == "offline")
    assert failures(quick) == {"VM": "the agent of the run has no connection to Prism"}


@pytest.mark.usefixtures("run")
def test_uploads_that_are_awaited(
    quick: SameProcess, stage: Stage, run: Live[Any], addition: Path, vm: Live[Any]
) -> None:
    eventually(lambda: stage.workspace.cvms.get(vm.id).state == "ReceivingAlgorithm")
    waits = f"the run waits for addition.py from {GRACE}, numbers.txt from {ADA}"
    assert failures(quick) == {"uploads": waits}
    stage.upload(run, addition)
    eventually(lambda: stage.workspace.cvms.get(vm.id).state == "ReceivingData")
    assert failures(quick) == {"uploads": f"the run waits for numbers.txt from {ADA}"}


def test_nobody_is_asked_for_what_the_agent_fetches(
    quick: SameProcess, stage: Stage, numbers: Path, addition: Path, vm: Live[Any]
) -> None:
    algorithm = stage.algorithm(addition)
    numbers_url = "https://data.example.com/numbers.txt"
    dataset = stage.update(stage.dataset(numbers), source={"url": numbers_url})
    computation = stage.computation(algorithm=algorithm.id, datasets=[dataset.id], result_consumers=[ADA])
    stage.register_keys(computation, ADA, GRACE)
    run = stage.create("ComputationRun", "r", computation=computation.id, vm=vm.id, wait=False)
    eventually(lambda: stage.workspace.cvms.get(vm.id).state == "ReceivingAlgorithm")
    assert failures(quick) == {"uploads": f"the run waits for addition.py from {GRACE}"}
    stage.delete(stage.update(run, stop_on_delete=True))


def test_an_upload_that_is_another_file(
    quick: SameProcess, stage: Stage, run: Live[Any], addition: Path
) -> None:
    addition.write_text("print('another')\n")
    with pytest.raises(AgentRefused):
        stage.upload(run, addition)
    eventually(lambda: "checksums" in failures(quick))
    assert failures(quick)["checksums"] == "an upload is not the file whose SHA3-256 the asset says"


def test_a_run_that_completed(
    quick: SameProcess, stage: Stage, run: Live[Any], addition: Path, numbers: Path
) -> None:
    stage.upload(run, addition, numbers)
    eventually(lambda: status_of(stage, run.state.computation) == "completed")
    assert diagnosed(quick)["last run"]["evidence"] == "run 1 is completed"


FAILING: Final = {
    "raise ValueError('no such column')": ("no such column", "prism-iac computations logs sum"),
    "import a_package_that_is_absent": ("ModuleNotFoundError", "--requirements FILE"),
    "bytearray(1 << 40)": ("MemoryError", "memory_mib"),
}
"""Algorithms with their last words, and what helps."""


@pytest.mark.parametrize("program", FAILING)
def test_a_run_whose_algorithm_fails(
    quick: SameProcess, stage: Stage, numbers: Path, vm: Live[Any], program: str
) -> None:
    algorithm = numbers.with_name("failing.py")
    algorithm.write_text(f"{program}\n")
    computation = stage.computation(
        algorithm=stage.algorithm(algorithm).id,
        datasets=[stage.dataset(numbers).id],
        result_consumers=[ADA],
    )
    stage.register_keys(computation, ADA, GRACE)
    stage.upload(start(stage, computation, vm), algorithm, numbers)
    last_words, fix = FAILING[program]
    eventually(lambda: status_of(stage, computation.id) == "failed")
    eventually(lambda: last_words in diagnosed(quick)["last run"]["evidence"])
    found = diagnosed(quick)["last run"]
    assert found["cause"].startswith("run 1 failed: algorithm execution error")
    assert fix in found["fix"]


@pytest.mark.usefixtures("run")
def test_a_vm_that_is_busy_with_another_computation(quick: SameProcess, stage: Stage, vm: Live[Any]) -> None:
    eventually(lambda: stage.workspace.cvms.get(vm.id).state == "ReceivingAlgorithm")
    other = stage.computation("other", result_consumers=[ADA])
    ended = quick.run("diagnose", other.state.name)
    assert ended.code == 1
    assert "VM: no VM takes a computation\n  Wait until one is online" in ended.err


def test_evidence_in_the_handshake_is_held_against_the_policy(
    quick: SameProcess, stage: Stage, runnable: Live[Any], vm: Live[Any]
) -> None:
    run = start(stage, stage.update(runnable, agent={"tls": "atls"}), vm)
    given = policy_of(quick, stage, vm)
    assert diagnosed(quick)["agent"]["verdict"] == "skipped"
    found = diagnosed(quick, *given)
    assert [found[name]["verdict"] for name in ("agent", "evidence")] == ["ok", "ok"]
    quick.out("policy", "measurement", "Q0ND" * 16, given[1])
    found = diagnosed(quick, *given)
    assert "launch measurement is" in found["agent"]["cause"]
    assert found["evidence"]["verdict"] == "skipped"
    stage.delete(run)


class TestTls:
    """What stands between a participant and an agent with certificates."""

    @pytest.fixture
    def bundle(self, stage: Stage) -> Any:
        return stage.create("CertificateBundle", "tls", mode="tls", ip_addresses=["127.0.0.1"]).state

    def secure(self, stage: Stage, computation: Live[Any], bundle: Any) -> Live[Any]:
        agent = {
            "tls": "tls",
            "cert_file": bundle.server_certificate,
            "server_key": bundle.server_key,
        }
        return stage.update(computation, agent=agent)

    def test_a_wrong_ca(
        self, quick: SameProcess, stage: Stage, runnable: Live[Any], vm: Live[Any], bundle: Any
    ) -> None:
        run = start(stage, self.secure(stage, runnable, bundle), vm)
        right, wrong = quick.folder / "ca.pem", quick.folder / "other.pem"
        right.write_text(bundle.ca_certificate)
        wrong.write_text(stage.create("CertificateBundle", "other", mode="tls").state.ca_certificate)
        assert set(failures(quick, "--server-ca", str(right))) == {"uploads"}
        assert "is not from the given CA" in failures(quick, "--server-ca", str(wrong))["agent"]
        assert diagnosed(quick)["agent"]["verdict"] == "skipped"
        stage.delete(run)

    def test_a_certificate_for_another_address(
        self, quick: SameProcess, stage: Stage, runnable: Live[Any], vm: Live[Any]
    ) -> None:
        bundle = stage.create("CertificateBundle", "far", mode="tls", dns_names=["agent.example.com"]).state
        run = start(stage, self.secure(stage, runnable, bundle), vm)
        (quick.folder / "ca.pem").write_text(bundle.ca_certificate)
        found = failures(quick, "--server-ca", str(quick.folder / "ca.pem"))
        assert "does not cover 127.0.0.1" in found["TLS files"]
        assert "is for other names and addresses" in found["agent"]
        stage.delete(run)

    @pytest.mark.usefixtures("vm")
    def test_a_certificate_that_has_ended(
        self, quick: SameProcess, stage: Stage, runnable: Live[Any]
    ) -> None:
        stage.clock = datetime.now(UTC) - timedelta(days=4000)
        bundle = stage.create("CertificateBundle", "old", mode="tls", ip_addresses=["127.0.0.1"]).state
        stage.clock = None
        self.secure(stage, runnable, bundle)
        assert " ended on " in failures(quick)["TLS files"]

    @pytest.mark.usefixtures("vm")
    def test_a_key_of_another_certificate(
        self, quick: SameProcess, stage: Stage, runnable: Live[Any], bundle: Any
    ) -> None:
        other = stage.create("CertificateBundle", "other", mode="tls").state
        record = stage.workspace.computations.get(runnable.id)
        config = AgentConfigRecord(cert_file=bundle.server_certificate, server_key=other.server_key)
        stage.workspace.computations.update(
            runnable.id, name="sum", description=record.description, agent_config=config
        )
        assert "private key does not belong" in failures(quick)["TLS files"]


@pytest.mark.usefixtures("run")
def test_evidence_is_held_against_the_policy(quick: SameProcess, stage: Stage, vm: Live[Any]) -> None:
    given = policy_of(quick, stage, vm)
    assert diagnosed(quick, *given)["evidence"]["evidence"] == "it meets the policy, on a SIMULATED platform"
    quick.out("policy", "measurement", "Q0ND" * 16, given[1])
    assert "launch measurement is" in failures(quick, *given)["evidence"]
