"""`prism-iac algo`, `data`, `result` and `attestation` at the real agent."""

from __future__ import annotations

import hashlib

import pytest

from prism_iac.agent import (
    AgentClient,
    AgentRefused,
    AlgorithmKind,
    ClientTls,
    ComputationFailed,
    EvidenceType,
    NotReady,
    SignatureRefused,
)
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.contract.backend.live import PATIENCE_SECONDS
from tests.contract.backend.test_real_agent import ALGORITHM, DATASET, FAILING, Scene
from tests.contract.cli.command_line import CommandLine
from tests.interop.network import needs_machines
from tests.interop.programs import Programs
from tests.interop.vm import CocosVm

pytestmark = needs_machines


@pytest.fixture
def line(prism: Scene) -> CommandLine:
    """The command line of somebody who has every role."""
    folder = prism.folder / "participant"
    folder.mkdir()
    for name, content in {
        "private.pem": prism.key.private_pem,
        "algo.sh": ALGORITHM,
        "north.csv": DATASET,
        "other.csv": b"other",
    }.items():
        (folder / name).write_bytes(content)
    return CommandLine(folder, {"PRISM_IAC_DATA": str(prism.folder), "PRISM_WORKSPACE": "lab"})


def begin(prism: Scene, vm: CocosVm, algorithm: bytes = ALGORITHM) -> str:
    """A run that waits for its algorithm; gives the computation's name."""
    computation = prism.computation(algorithm)
    prism.lab.run(computation, vm.cvm)
    prism.wait_for_state(vm, "ReceivingAlgorithm")
    found: str = prism.root.ok("GET", f"{prism.lab.computations}/{computation}")["name"]
    return found


def test_a_whole_run_by_command_line(prism: Scene, cocos_vm: CocosVm, line: CommandLine) -> None:
    name = begin(prism, cocos_vm)
    line.out("algo", "algo.sh", "--computation", name, "--arg", "x")
    line.out("data", "north.csv", "--computation", name)
    assert line.run("computations", "logs", name, "--follow").code == 0
    fetched = line.run("result", "--computation", name, "--extract", "out")
    assert fetched.code == 0, fetched.err
    digest = hashlib.sha3_256((line.folder / "results.zip").read_bytes()).hexdigest()
    assert f"Prism was told no SHA3-256 of this result; it is {digest}" in fetched.err
    assert (line.folder / "out" / "out.txt").read_bytes() == b"a,b\n"


def test_evidence_by_command_line(
    prism: Scene, cocos_vm: CocosVm, line: CommandLine, programs: Programs
) -> None:
    name = begin(prism, cocos_vm)
    line.out("attestation", "fetch", "--computation", name, "--nonce", "11" * 64)
    shown = line.out("attestation", "show", "evidence.bin")
    assert shown.startswith("token" if programs.has_services else "report")
    # Without a platform the older agent has but a sample, whatever it is asked.
    assert ("11" * 64 in shown) is programs.has_services


def test_refusals_are_those_that_ours_give(prism: Scene, cocos_vm: CocosVm, line: CommandLine) -> None:
    begin(prism, cocos_vm)
    mine, other = prism.key.private_pem, generate_key_pair(KeyAlgorithm.ECDSA).private_pem
    with AgentClient.connect(cocos_vm.address, tls=ClientTls()) as client:
        client.wait_until_serving(PATIENCE_SECONDS)
        algorithm, data = line.folder / "algo.sh", line.folder / "north.csv"
        with pytest.raises(SignatureRefused):
            client.upload_algorithm(algorithm, other, kind=AlgorithmKind.BIN)
        with pytest.raises(NotReady):
            client.upload_dataset(data, mine)
        with pytest.raises(NotReady):
            client.fetch_result(mine, line.folder / "results.zip")
        with pytest.raises(AgentRefused, match="hash does not match manifest"):
            client.upload_algorithm(data, mine, kind=AlgorithmKind.BIN)
        with pytest.raises(AgentRefused, match="less or equal to 64 bytes"):
            client.fetch_attestation(tee_nonce=bytes(65), evidence_type=EvidenceType.SNP)
        client.upload_algorithm(algorithm, mine, kind=AlgorithmKind.BIN)
        with pytest.raises(NotReady):
            client.upload_algorithm(algorithm, mine, kind=AlgorithmKind.BIN)
        with pytest.raises(AgentRefused, match="not declared in computation manifest"):
            client.upload_dataset(line.folder / "other.csv", mine)
        client.upload_dataset(data, mine)


def test_a_failed_run_is_told_to_its_consumers(prism: Scene, cocos_vm: CocosVm, line: CommandLine) -> None:
    begin(prism, cocos_vm, FAILING)
    prism.upload(cocos_vm, FAILING)
    prism.wait_for_state(cocos_vm, "Failed")
    with (
        AgentClient.connect(cocos_vm.address, tls=ClientTls()) as client,
        pytest.raises(ComputationFailed, match="algorithm execution error: exit status 3"),
    ):
        client.fetch_result(prism.key.private_pem, line.folder / "results.zip")
