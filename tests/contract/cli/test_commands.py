"""What people and scripts ask about a workspace, and what they end in it."""

from __future__ import annotations

import json

import pytest

from prism_iac.lifecycle import Live
from prism_iac.model.resources import Computation, ConfidentialVM
from tests.contract.cli.command_line import CommandLine, SameProcess
from tests.contract.lifecycle.stage import ADA, GRACE, Stage, eventually


def test_a_computation_is_listed_and_shown_with_what_it_lacks(
    quick: SameProcess, computation: Live[Computation]
) -> None:
    (listed,) = quick.json("computations", "list")
    assert (listed["id"], listed["name"], listed["status"]) == (computation.id, "sum", "executable")
    head, row = quick.out("computations", "list").splitlines()
    assert head.split() == ["NAME", "STATUS", "CREATED", "ID"]
    assert row.split()[0] == "sum"
    shown = quick.out("computations", "show", "sum")
    for user in (ADA, GRACE):
        assert f"{user} has not registered a public key" in shown


def test_a_manifest_is_printed_as_it_is_hashed(quick: SameProcess, computation: Live[Computation]) -> None:
    (quick.folder / "manifest.json").write_text(quick.out("computations", "manifest", "sum"))
    digest = quick.out("checksum", "--manifest", "manifest.json").strip()
    assert digest == computation.state.manifest_sha3_256


@pytest.mark.usefixtures("computation")
def test_a_run_that_lacks_something_is_refused_with_all_of_it(
    quick: SameProcess, vm: Live[ConfidentialVM]
) -> None:
    ended = quick.run("computations", "run", "sum", "--vm", str(vm.state.name))
    assert (ended.code, ended.out) == (1, "")
    for user in (ADA, GRACE):
        assert f"sum: {user} has not registered a public key" in ended.err


def test_a_run_is_stopped_before_its_computation_can_be_deleted(
    quick: SameProcess, stage: Stage, computation: Live[Computation], vm: Live[ConfidentialVM]
) -> None:
    stage.register_keys(computation, ADA, GRACE)
    quick.out("computations", "run", "sum", "--vm", str(vm.state.name))
    assert quick.out("env", "sum") == f"export AGENT_GRPC_URL={vm.state.agent_address}\n"
    refused = quick.run("computations", "delete", "sum", "--yes")
    assert refused.code == 1
    assert "computations stop" in refused.err

    quick.out("computations", "stop", "sum")
    again = quick.run("computations", "stop", "sum")
    assert (again.code, "does not run" in again.err) == (1, True)
    assert quick.json("computations", "show", "sum")["run"]["status"] == "cancelled"

    assert quick.run("computations", "delete", "sum", stdin="n\n").code == 1
    assert len(quick.json("computations", "list")) == 1
    quick.out("computations", "delete", "sum", "--yes")
    assert quick.json("computations", "list") == []
    (export,) = (stage.data / "exports").glob(f"sum-{computation.id}.json")
    assert json.loads(export.read_text())["algorithm"] == computation.state.algorithm


def test_a_run_that_is_awaited_and_fails_is_exit_code_3(
    line: CommandLine, stage: Stage, computation: Live[Computation], vm: Live[ConfidentialVM]
) -> None:
    stage.register_keys(computation, ADA, GRACE)
    with line.start("computations", "run", "sum", "--vm", str(vm.state.name), "--wait") as waiting:
        eventually(lambda: stage.workspace.computations.latest_run(computation.id))
        stage.workspace.computations.stop(computation.id)
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 3
    assert "run 1 of sum ended as cancelled" in err
    assert "cancelled" in out


@pytest.mark.usefixtures("computation")
def test_the_variables_of_a_run_that_is_not_there_are_refused(quick: SameProcess) -> None:
    ended = quick.run("env", "sum")
    assert (ended.code, ended.out) == (1, "")
    assert "has not been run" in ended.err


def test_attested_tls_needs_the_policy_that_env_writes(
    quick: SameProcess, stage: Stage, computation: Live[Computation], vm: Live[ConfidentialVM]
) -> None:
    stage.update(computation, agent={"tls": "atls"})
    stage.register_keys(computation, ADA, GRACE)
    stage.workspace.computations.run(computation.id, vm.id)
    without = quick.run("env", "sum")
    assert (without.code, "--files DIR" in without.err) == (1, True)
    policy = quick.folder / "certs" / "attestation-policy.json"
    assert quick.out("env", "sum", "--files", "certs").splitlines() == [
        f"export AGENT_GRPC_URL={vm.state.agent_address}",
        f"export AGENT_GRPC_ATTESTATION_POLICY={policy}",
        "export AGENT_GRPC_ATTESTED_TLS=true",
        f"export PRISM_ATTESTATION_ROOTS={policy.with_name('attestation-roots.pem')}",
    ]
    assert policy.read_bytes() == stage.workspace.cvms.attestation_policy(vm.id)
    assert policy.stat().st_mode & 0o777 == 0o600
    stage.workspace.computations.stop(computation.id)


def test_a_vm_is_listed_and_shown_with_its_process(quick: SameProcess, vm: Live[ConfidentialVM]) -> None:
    (listed,) = quick.json("vms", "list")
    assert (listed["id"], listed["status"]) == (vm.id, "online")
    assert str(vm.state.name) in quick.out("vms", "list")
    shown = quick.json("vms", "show", vm.id)
    assert shown["local"]["running"] is True
    assert "console.log" in quick.out("vms", "show", vm.id)


def test_a_name_that_nobody_has_is_answered_with_the_one_that_was_meant(
    quick: SameProcess, computation: Live[Computation]
) -> None:
    ended = quick.run("computations", "show", "summ")
    assert (ended.code, ended.out) == (1, "")
    assert str(computation.state.name) in ended.err.splitlines()[1]


@pytest.mark.usefixtures("vm")
def test_the_doctor_finds_a_backend_that_works(quick: SameProcess) -> None:
    report = json.loads(quick.run("doctor", "--json").out)
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    wanted = (
        "python",
        "data folder",
        "disk",
        "ports",
        "backend",
        "versions",
        "clock",
        "credentials",
        "workspace",
        "certificates",
    )
    assert {verdicts[name] for name in wanted} == {"ok"}
    assert report["ok"] is all(verdict != "failed" for verdict in verdicts.values())


def test_the_doctor_says_what_to_do_without_a_backend(quick: SameProcess) -> None:
    ended = quick.run("doctor", PRISM_IAC_DATA=str(quick.folder / "nothing"))
    assert ended.code == 1
    assert "prism-iac backend up" in ended.err
    assert not (quick.folder / "nothing").exists()
