from __future__ import annotations

import base64
import hashlib
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from prism_iac.lifecycle import Live
from prism_iac.model.resources import Computation, ConfidentialVM
from tests.contract.cli.command_line import CommandLine
from tests.contract.lifecycle.stage import ADA, GRACE, Stage


def register_keys(line: CommandLine) -> None:
    for user, name in ((ADA, "ada"), (GRACE, "grace")):
        line.out("keys", "--type", "ed25519", "--output", name)
        line.out("keys", "register", "sum", "--key", f"{name}.pub.pem", "--as", user)


@pytest.mark.usefixtures("computation", "addition", "numbers")
def test_participants_do_a_whole_run_by_command_line(line: CommandLine, vm: Live[ConfidentialVM]) -> None:
    register_keys(line)
    assert line.json("computations", "show", "sum")["missing"] == {"keys": [], "hashes": [], "info": []}
    run = line.json("computations", "run", "sum", "--vm", str(vm.state.name))
    assert (run["number"], run["status"], run["vm"]) == (1, "running", vm.id)

    line.out("algo", "addition.py", "--type", "python", "--computation", "sum", "--key", "grace.pem")
    ended = line.run("data", "numbers.txt", "--computation", "sum", "--key", "ada.pem", "--as", ADA)
    assert (ended.code, ended.out, ended.err) == (0, "", "uploaded the dataset numbers.txt\n")
    logs = line.run("computations", "logs", "sum", "--follow")
    assert logs.code == 0
    fetched = line.run("result", "--computation", "sum", "--key", "ada.pem", "--extract", "out")
    assert (fetched.code, fetched.out) == (0, "results.zip\nout\n")
    digest = hashlib.sha3_256((line.folder / "results.zip").read_bytes()).hexdigest()
    assert fetched.err == f"SHA3-256 {digest}, as the agent told Prism\n"
    assert (line.folder / "out" / "sum.txt").read_text() == "42"

    steps = line.json("computations", "events", "sum")
    assert [step["timestamp"] for step in steps] == sorted(step["timestamp"] for step in steps)
    assert digest in [step["details"]["result_sha3_256"] for step in steps if step["details"]]
    assert line.json("computations", "show", "sum")["run"]["status"] == "completed"


@pytest.mark.usefixtures("addition", "numbers")
def test_participants_do_a_whole_run_over_attested_tls(
    line: CommandLine, stage: Stage, computation: Live[Computation], vm: Live[ConfidentialVM]
) -> None:
    stage.update(computation, agent={"tls": "atls"})
    register_keys(line)
    line.out("computations", "run", "sum", "--vm", str(vm.state.name))
    variables = variables_of(line.out("env", "sum", "--files", "trust"))

    # Who gives the policy of another VM sends nothing to this one.
    other = line.folder / "other.json"
    line.out("policy", "measurement", base64.b64encode(b"\x43" * 48).decode(), copy_of(variables, other))
    upload = ("algo", "addition.py", "--type", "python", "--key", "grace.pem")
    refused = line.run(*upload, "--attestation-policy", str(other), **variables)
    assert (refused.code, "launch measurement is" in refused.err) == (4, True)

    _, nonce = line.out("attestation", "fetch", "--computation", "sum", **variables).split()
    proof = ("--evidence", "evidence.bin", "--policy", variables["AGENT_GRPC_ATTESTATION_POLICY"])
    roots = ("--roots", variables["PRISM_ATTESTATION_ROOTS"])
    line.out("attestation", "verify", *proof, *roots, "--nonce", nonce)

    line.out(*upload, "--computation", "sum", **variables)
    line.out("data", "numbers.txt", "--key", "ada.pem", "--evidence-in", "certificate", **variables)
    assert line.run("computations", "logs", "sum", "--follow").code == 0
    line.out("result", "--computation", "sum", "--key", "ada.pem", "--extract", "out", **variables)
    assert (line.folder / "out" / "sum.txt").read_text() == "42"


def variables_of(exports: str) -> dict[str, str]:
    """What a shell knows after it evaluated the lines."""
    words = (shlex.split(line)[1].partition("=") for line in exports.splitlines())
    return {name: value for name, _, value in words}


def copy_of(variables: Mapping[str, str], path: Path) -> str:
    """The policy among the variables, copied."""
    return str(shutil.copy(variables["AGENT_GRPC_ATTESTATION_POLICY"], path))
