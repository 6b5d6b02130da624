from __future__ import annotations

import hashlib

import pytest

from prism_iac.lifecycle import Live
from prism_iac.model.resources import ConfidentialVM
from tests.contract.cli.command_line import CommandLine
from tests.contract.lifecycle.stage import ADA, GRACE


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
