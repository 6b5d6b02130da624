"""Our agent serves the real `cocos-cli`."""

from __future__ import annotations

import hashlib
import os
import signal
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from prism_iac.attestation import SimulatedGuest, SnpReport, policy_from_evidence
from prism_iac.attestation.policy import PolicyFile, PolicyForm
from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset, TlsMode, sha3_256_of_path
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import Authority, IssuedCertificate, generate_key_pair, parse_public_key
from prism_iac.wire.cvms_pb2 import AgentConfig
from tests.contract.agent.scene import Scene
from tests.contract.agent.test_participants import TINY, peak_mib, tiny_requirements
from tests.contract.agent.test_tls import config_of
from tests.contract.agent.test_whole_run import IRIS, PYTHON, WASM
from tests.contract.agent.vm import eventually, manifest
from tests.interop.cocos_cli import CocosCli
from tests.interop.programs import Programs

COPY = b'#!/bin/sh\ncp -r datasets/. results/\nfor word in "$@"; do echo "$word" >> results/arguments; done\n'
UPLOADED_ALGORITHM = "Successfully uploaded algorithm!"
UPLOADED_DATASET = "Successfully uploaded dataset!"
FETCHED = "Computation result retrieved and saved successfully"
NONCES = ("--tee", "11" * 64, "--vtpm", "22" * 32, "--token", "33" * 32)

Issue = Callable[[str], IssuedCertificate]
CliOf = Callable[[Scene], CocosCli]


@dataclass
class Seat:
    """A participant at an agent: what they have lies where the command runs."""

    scene: Scene
    cli: CocosCli

    def algo(self, *options: str, key: str = "private.pem", file: str = "algorithm") -> str:
        return self.cli.say("algo", file, key, *options)

    def data(self, path: str, *options: str, key: str = "private.pem") -> str:
        return self.cli.say("data", path, key, *options)

    def result(self, key: str = "private.pem") -> str:
        return self.cli.say("result", key)

    def results(self) -> dict[str, bytes]:
        """The files of the result, which is fetched when it is ready."""
        self.scene.control.wait_for_event("ConsumingResults", "Ready")
        assert FETCHED in self.result()
        with zipfile.ZipFile(self.cli.folder / "results.zip") as archive:
            return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def seat(scene: Scene, cli_of: CliOf) -> Seat:
    return take_seat(scene, cli_of(scene))


@pytest.fixture
def proven_seat(proven: Scene, cli_of: CliOf) -> Seat:
    return take_seat(proven, cli_of(proven))


def take_seat(scene: Scene, cli: CocosCli) -> Seat:
    scene.folder = cli.folder
    (cli.folder / "private.pem").write_bytes(scene.key.private_pem)
    return Seat(scene, cli)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_a_whole_run_with_a_key_of_each_type(seat: Seat, kind: str) -> None:
    seat.scene.key = seat.cli.key(kind)
    seat.scene.begin(COPY, {"iris.csv": IRIS})
    said = seat.algo("--args", "x", "--args", "y z")
    assert "Connected to agent  without TLS" in said
    assert UPLOADED_ALGORITHM in said
    assert UPLOADED_DATASET in seat.data("iris.csv")
    assert seat.results() == {"iris.csv": IRIS, "arguments": b"x\ny z\n"}
    seat.scene.control.wait_for_event("Complete", "Completed")
    assert seat.results()  # a result stays


@pytest.mark.parametrize(
    ("kind", "algorithm", "expected"),
    [("python", PYTHON, IRIS + b"one two\n"), ("wasm", bytes(WASM), IRIS)],
    ids=["python", "wasm"],
)
def test_an_algorithm_of_another_kind(seat: Seat, kind: str, algorithm: bytes, expected: bytes) -> None:
    seat.scene.begin(algorithm, {"iris.csv": IRIS})
    assert UPLOADED_ALGORITHM in seat.algo("-a", kind, "--args", "one", "--args", "two")
    assert UPLOADED_DATASET in seat.data("iris.csv")
    assert seat.results() == {"out.txt": expected}


def test_requirements_of_python(seat: Seat) -> None:
    tiny_requirements(seat.cli.folder)
    seat.scene.begin(TINY)
    assert UPLOADED_ALGORITHM in seat.algo("-a", "python", "-r", "requirements.txt")
    assert seat.results() == {"n": b"42"}


def test_a_folder_goes_as_an_archive_and_is_unpacked_on_demand(seat: Seat, programs: Programs) -> None:
    folder = seat.cli.folder / "measurements"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"a" * 1_500_000)
    (folder / "deep" / "b.csv").write_bytes(b"b")
    hashed = seat.cli.say("checksum", "measurements")
    if programs.version >= (0, 9):
        assert f"Hash of file: {sha3_256_of_path(folder).hex()}" in hashed
    (seat.cli.folder / "algorithm").write_bytes(COPY)
    request = manifest(seat.scene.key, COPY, [("measurements", b"")])
    request.datasets[0].hash = bytes.fromhex(hashed.split()[-1])
    seat.scene.control.send_manifest(request)
    assert seat.scene.control.wait_for_run_response() == ""
    seat.algo()
    assert UPLOADED_DATASET in seat.data("measurements", "--decompress")
    assert seat.results() == {"a.csv": b"a" * 1_500_000, "deep/b.csv": b"b"}


def test_a_file_and_a_manifest_have_the_same_hash_on_both_sides(seat: Seat, programs: Programs) -> None:
    (seat.cli.folder / "file").write_bytes(os.urandom(3000))
    digest = sha3_256_of_path(seat.cli.folder / "file")
    assert f"Hash of file: {digest.hex()}" in seat.cli.say("checksum", "file")
    declared = Manifest(
        id="7b1f",
        name="iris & <petals>",
        description="größer",
        algorithm=ManifestAlgorithm(digest, b"\x00\xff"),
        datasets=(ManifestDataset(digest, b"key", "iris.csv"), ManifestDataset(digest, b"key")),
        result_consumers=(b"one", b"two"),
    )
    (seat.cli.folder / "manifest.json").write_bytes(declared.canonical_bytes())
    said = seat.cli.say("checksum", "--manifest", "manifest.json")
    has_kbs_of_its_own = programs.version == (0, 9)
    assert (f"Hash of manifest file: {declared.digest().hex()}" in said) is not has_kbs_of_its_own


def test_three_parties_are_each_refused_at_the_work_of_the_others(seat: Seat) -> None:
    roles = {"grace": "rsa", "ada": "ecdsa", "linus": "ed25519"}
    grace, ada, linus = (
        parse_public_key(seat.cli.key(kind, name).public_pem) for name, kind in roles.items()
    )
    request = manifest(seat.scene.key, COPY, [("iris.csv", IRIS)])
    request.algorithm.userKey = grace
    request.datasets[0].userKey = ada
    request.result_consumers[0].userKey = linus
    (seat.cli.folder / "algorithm").write_bytes(COPY)
    (seat.cli.folder / "iris.csv").write_bytes(IRIS)
    seat.scene.control.send_manifest(request)
    assert seat.scene.control.wait_for_run_response() == ""
    work: dict[str, tuple[Callable[[str], str], str]] = {
        "grace": (lambda key: seat.algo(key=key), UPLOADED_ALGORITHM),
        "ada": (lambda key: seat.data("iris.csv", key=key), UPLOADED_DATASET),
        "linus": (seat.result, FETCHED),
    }
    for party, (do, success) in work.items():
        for other in work.keys() - {party}:
            assert "signature verification failed" in do(f"{other}/private.pem")
        assert success in do(f"{party}/private.pem")
        if party == "ada":
            seat.scene.control.wait_for_event("ConsumingResults", "Ready")


@pytest.mark.parametrize("evidence", ["snp", "vtpm", "snp-vtpm", "tdx", "azure-token"])
def test_evidence_is_given_or_refused_by_its_type(
    proven_seat: Seat, guest: SimulatedGuest, evidence: str
) -> None:
    proven_seat.scene.begin(COPY)
    said = proven_seat.cli.say("attestation", "get", evidence, *NONCES)
    if evidence == "snp":
        assert "Attestation retrieved and saved successfully!" in said
        report = SnpReport.parse((proven_seat.cli.folder / "attestation.bin").read_bytes()[:1184])
        assert (report.report_data, report.measurement) == (b"\x11" * 64, guest.launch.measurement)
        as_text = proven_seat.cli.say("attestation", "get", "snp", *NONCES, "--reporttextproto")
        assert "Attestation retrieved and saved successfully!" in as_text
    elif evidence == "azure-token":
        assert "attestation type does not exist or is not supported" in said
    else:
        assert "failed to get raw quote : this VM gives evidence of the type SNP only" in said


def test_the_list_of_what_a_simulated_guest_ran_is_verified(proven_seat: Seat) -> None:
    proven_seat.scene.begin(COPY)
    proven_seat.algo()
    proven_seat.scene.control.wait_for_event("ConsumingResults", "Ready")
    assert "Measurements file verified!" in proven_seat.cli.say("ima-measurements")
    boot, algorithm = (proven_seat.cli.folder / "ima_measurements").read_text().splitlines()
    assert boot.endswith("boot_aggregate")
    assert f"sha256:{hashlib.sha256(COPY).hexdigest()}" in algorithm


def test_a_vm_without_a_platform_has_no_list(seat: Seat) -> None:
    seat.scene.begin(COPY)
    said = seat.cli.say("ima-measurements")
    assert "error reading Linux IMA measurements file: this VM keeps no list of its own" in said


@pytest.mark.parametrize("mode", [TlsMode.TLS, TlsMode.MTLS])
def test_a_run_over_tls(seat: Seat, authority: Authority, issue: Issue, mode: TlsMode) -> None:
    own = issue("ada")
    files = {"AGENT_GRPC_SERVER_CA_CERTS": authority.certificate_pem}
    if mode is TlsMode.MTLS:
        files |= {"AGENT_GRPC_CLIENT_CERT": own.certificate_pem, "AGENT_GRPC_CLIENT_KEY": own.key_pem}
    for name, content in files.items():
        (seat.cli.folder / name).write_bytes(content)
    seat.cli = seat.cli.with_variables(**{name: str(seat.cli.folder / name) for name in files})
    seat.scene.begin(COPY, {"iris.csv": IRIS}, config=config_of(mode, authority, issue("agent")))
    assert f"Connected to agent  with {'mTLS' if mode is TlsMode.MTLS else 'TLS'}" in seat.algo()
    assert UPLOADED_DATASET in seat.data("iris.csv")
    assert seat.results() == {"iris.csv": IRIS}


def test_a_stranger_is_not_let_in_by_mutual_tls(seat: Seat, authority: Authority, issue: Issue) -> None:
    (seat.cli.folder / "ca.pem").write_bytes(authority.certificate_pem)
    seat.scene.begin(COPY, config=config_of(TlsMode.MTLS, authority, issue("agent")))
    seat.cli = seat.cli.with_variables(AGENT_GRPC_SERVER_CA_CERTS=str(seat.cli.folder / "ca.pem"))
    assert UPLOADED_ALGORITHM not in seat.algo()
    assert seat.scene.control.state() == "ReceivingAlgorithm"


def test_a_run_over_attested_tls(proven_seat: Seat, guest: SimulatedGuest, programs: Programs) -> None:
    document = policy_from_evidence(guest.attest(bytes(64)).report)
    form = PolicyForm.CORIM if programs.version >= (0, 9) else PolicyForm.JSON
    policy = proven_seat.cli.folder / "policy"
    policy.write_bytes(PolicyFile.make(document, PolicyForm.JSON).converted(form).to_bytes())
    proven_seat.cli = proven_seat.cli.with_variables(
        AGENT_GRPC_ATTESTED_TLS="true", AGENT_GRPC_ATTESTATION_POLICY=str(policy)
    )
    proven_seat.scene.begin(COPY, {"iris.csv": IRIS}, config=AgentConfig(attested_tls=True))
    said = proven_seat.algo("--verbose")
    assert "Connected to agent  with aTLS" in said
    if programs.version < (0, 9):
        # Its nonce was taken and its evidence found; it wants a TPM's quote besides, which a simulated guest lacks.
        assert "failed to verify attestation: failed to verify vTPM quote" in said
        return
    assert UPLOADED_ALGORITHM in said
    assert UPLOADED_DATASET in proven_seat.data("iris.csv")
    assert proven_seat.results() == {"iris.csv": IRIS}


def test_what_does_not_fit_is_refused_and_loses_nothing(seat: Seat) -> None:
    scene, folder = seat.scene, seat.cli.folder
    (folder / "stranger.pem").write_bytes(generate_key_pair(KeyAlgorithm.ECDSA).private_pem)
    scene.begin(COPY, {"iris.csv": IRIS})
    (folder / "other").write_bytes(b"other")
    not_expected = "agent not expecting this operation in the current state"
    differs = "malformed data, hash does not match manifest"
    assert "signature verification failed" in seat.algo(key="stranger.pem")
    assert not_expected in seat.data("iris.csv")
    assert differs in seat.algo(file="other")
    assert "computation results are not yet ready" in seat.result()
    assert UPLOADED_ALGORITHM in seat.algo()
    assert not_expected in seat.algo()
    assert "signature verification failed" in seat.data("iris.csv", key="stranger.pem")
    assert "dataset not declared in computation manifest" in seat.data("other")
    (folder / "iris.csv").write_bytes(b"other")
    assert differs in seat.data("iris.csv")
    (folder / "iris.csv").write_bytes(IRIS)
    assert UPLOADED_DATASET in seat.data("iris.csv")
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert "signature verification failed" in seat.result("stranger.pem")
    assert not_expected in seat.data("iris.csv")
    assert seat.results() == {"iris.csv": IRIS}


def test_consumers_are_told_how_a_run_failed(seat: Seat) -> None:
    seat.scene.begin(b"#!/bin/sh\nexit 3\n")
    seat.algo()
    seat.scene.control.wait_for_event("Failed", "Failed")
    assert "algorithm execution error: exit status 3" in seat.result()


@pytest.mark.parametrize(
    "size_mib",
    [
        96,
        pytest.param(
            2048,
            marks=pytest.mark.skipif(
                not os.environ.get("PRISM_IAC_BIG_TESTS"),
                reason="writes 4 GiB; set PRISM_IAC_BIG_TESTS to run it",
            ),
        ),
    ],
)
def test_a_large_dataset_comes_through_a_cut_and_in_bounded_memory(seat: Seat, size_mib: int) -> None:
    scene, data = seat.scene, seat.cli.folder / "large.bin"
    with data.open("wb") as file:
        file.truncate(size_mib << 20)
    (seat.cli.folder / "algorithm").write_bytes(COPY)
    request = manifest(scene.key, COPY, [("large.bin", b"")])
    request.datasets[0].hash = sha3_256_of_path(data)
    scene.control.send_manifest(request)
    assert scene.control.wait_for_run_response() == ""
    seat.algo()
    before = peak_mib(scene.vm.pid)
    cut_an_upload(seat, "large.bin")
    assert UPLOADED_DATASET in seat.data("large.bin")
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert FETCHED in seat.result()
    with zipfile.ZipFile(seat.cli.folder / "results.zip") as archive:
        assert archive.getinfo("large.bin").file_size == size_mib << 20
    assert peak_mib(scene.vm.pid) - before < 64


def cut_an_upload(seat: Seat, name: str) -> None:
    """Kill the command once something of its upload has come."""
    incoming = seat.scene.vm.work / "incoming"

    def has_begun() -> bool:
        return any(file.stat().st_size for file in incoming.iterdir())

    process = seat.cli.start("data", name, "private.pem")
    eventually(has_begun)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    eventually(lambda: not list(incoming.iterdir()))
    assert seat.scene.control.state() == "ReceivingData"
