"""Participants as they come: keys of every type, files and folders, progress, and a cut connection."""

from __future__ import annotations

import os
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from prism_iac.agent import (
    AgentClient,
    AgentRefused,
    AgentUnreachable,
    AlgorithmKind,
    ClientTls,
    NotReady,
    SignatureRefused,
)
from prism_iac.errors import InvalidInput
from prism_iac.model import sha3_256_of_path
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair, load_private_key, parse_public_key
from prism_iac.wire.cvms_pb2 import Algorithm, ComputationRunReq, Dataset, ResultConsumer
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import digest, free_port, manifest

COPY = b"#!/bin/sh\ncp -r datasets/. results/\n"


def test_each_participant_may_have_a_key_of_another_type(scene: Scene) -> None:
    rsa = generate_key_pair(KeyAlgorithm.RSA, 2048)
    ecdsa = generate_key_pair(KeyAlgorithm.ECDSA)
    ed25519 = generate_key_pair(KeyAlgorithm.ED25519)
    (scene.folder / "algorithm").write_bytes(COPY)
    (scene.folder / "a.csv").write_bytes(b"a")
    scene.control.send_manifest(
        ComputationRunReq(
            id="c-1",
            algorithm=Algorithm(hash=digest(COPY), userKey=parse_public_key(rsa.public_pem)),
            datasets=[
                Dataset(hash=digest(b"a"), userKey=parse_public_key(ecdsa.public_pem), filename="a.csv")
            ],
            result_consumers=[
                ResultConsumer(userKey=parse_public_key(rsa.public_pem)),
                ResultConsumer(userKey=parse_public_key(ed25519.public_pem)),
            ],
        )
    )
    assert scene.control.wait_for_run_response() == ""
    with scene.connect() as client:
        with pytest.raises(SignatureRefused, match="the algorithm-provider") as caught:
            client.upload_algorithm(scene.folder / "algorithm", ecdsa.private_pem, kind=AlgorithmKind.BIN)
        assert (caught.value.code, caught.value.agent_text) == (
            "UNAUTHENTICATED",
            "signature verification failed",
        )
        client.upload_algorithm(scene.folder / "algorithm", as_the_tool_writes(rsa), kind=AlgorithmKind.BIN)
        client.upload_dataset(scene.folder / "a.csv", ecdsa.private_pem)
        scene.control.wait_for_event("ConsumingResults", "Ready")
        for consumer in (rsa, ed25519):
            result = client.fetch_result(consumer.private_pem, scene.folder / "result.zip")
            assert zipfile.ZipFile(result).read("a.csv") == b"a"
        with pytest.raises(SignatureRefused):
            client.fetch_result(ecdsa.private_pem, scene.folder / "stolen.zip")
    assert not (scene.folder / "stolen.zip").exists()


def test_three_parties_are_each_refused_at_the_work_of_the_others(scene: Scene) -> None:
    parties = {
        name: generate_key_pair(kind)
        for name, kind in (
            ("grace", KeyAlgorithm.ECDSA),
            ("ada", KeyAlgorithm.ED25519),
            ("linus", KeyAlgorithm.RSA),
        )
    }
    grace, ada, linus = parties
    request = manifest(scene.key, COPY, [("a.csv", b"a")])
    request.algorithm.userKey = parse_public_key(parties[grace].public_pem)
    request.datasets[0].userKey = parse_public_key(parties[ada].public_pem)
    request.result_consumers[0].userKey = parse_public_key(parties[linus].public_pem)
    (scene.folder / "algorithm").write_bytes(COPY)
    (scene.folder / "a.csv").write_bytes(b"a")
    scene.control.send_manifest(request)
    assert scene.control.wait_for_run_response() == ""
    with scene.connect() as client:
        work: dict[str, Callable[[bytes], object]] = {
            grace: lambda pem: client.upload_algorithm(
                scene.folder / "algorithm", pem, kind=AlgorithmKind.BIN
            ),
            ada: lambda pem: client.upload_dataset(scene.folder / "a.csv", pem),
            linus: lambda pem: client.fetch_result(pem, scene.folder / "result.zip"),
        }
        for party, do in work.items():
            if party == linus:
                scene.control.wait_for_event("ConsumingResults", "Ready")
            for other in parties.keys() - {party}:
                with pytest.raises(SignatureRefused):
                    do(parties[other].private_pem)
            do(parties[party].private_pem)
    assert zipfile.ZipFile(scene.folder / "result.zip").read("a.csv") == b"a"


def as_the_tool_writes(pair: KeyPair) -> bytes:
    """PKCS#1 under the label of PKCS#8."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = load_private_key(pair.private_pem)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return pem.replace(b"RSA PRIVATE KEY", b"PRIVATE KEY")


def test_a_folder_goes_as_its_deterministic_archive(scene: Scene) -> None:
    folder = scene.folder / "measurements"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"a" * 1_500_000)
    (folder / "deep" / "b.csv").write_bytes(b"b")
    request = manifest(scene.key, COPY, [("measurements", b"")])
    request.datasets[0].hash = sha3_256_of_path(folder)
    (scene.folder / "algorithm").write_bytes(COPY)
    scene.control.send_manifest(request)
    assert scene.control.wait_for_run_response() == ""
    seen: list[tuple[int, int | None]] = []
    with scene.connect() as client:
        scene.upload_algorithm(client)
        client.upload_dataset(
            folder,
            scene.key.private_pem,
            decompress=True,
            progress=lambda done, total: seen.append((done, total)),
        )
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert scene.result() == {"a.csv": b"a" * 1_500_000, "deep/b.csv": b"b"}
    assert [total for _, total in seen] == [None] * len(seen)


def test_progress_is_told_to_the_last_byte(scene: Scene) -> None:
    data = os.urandom(2_500_000)
    scene.begin(COPY, {"d": data})
    sent: list[tuple[int, int | None]] = []
    fetched: list[tuple[int, int | None]] = []
    with scene.connect() as client:
        scene.upload_algorithm(client)
        client.upload_dataset(
            scene.folder / "d",
            scene.key.private_pem,
            progress=lambda done, total: sent.append((done, total)),
        )
        scene.control.wait_for_event("ConsumingResults", "Ready")
        result = client.fetch_result(
            scene.key.private_pem,
            scene.folder / "result.zip",
            progress=lambda done, total: fetched.append((done, total)),
        )
    assert sent == [(done, 2_500_000) for done in (1 << 20, 2 << 20, 2_500_000)]
    size = result.stat().st_size
    assert fetched == [(done, size) for done in (1 << 20, 2 << 20, size)]


def test_a_dataset_may_be_uploaded_under_the_declared_name(scene: Scene) -> None:
    scene.begin(COPY, {"declared.csv": b"1"})
    (scene.folder / "declared.csv").rename(scene.folder / "local.csv")
    with scene.connect() as client:
        scene.upload_algorithm(client)
        with pytest.raises(AgentRefused, match="not declared"):
            scene.upload_dataset(client, "local.csv")
        client.upload_dataset(scene.folder / "local.csv", scene.key.private_pem, filename="declared.csv")
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert scene.result() == {"declared.csv": b"1"}


def test_a_result_that_is_not_ready_leaves_the_older_file_alone(scene: Scene) -> None:
    scene.begin(COPY)
    (scene.folder / "result.zip").write_bytes(b"older")
    with scene.connect() as client, pytest.raises(NotReady, match="not yet ready"):
        scene.fetch(client)
    assert (scene.folder / "result.zip").read_bytes() == b"older"
    assert not list(scene.folder.glob(".result*"))


def test_what_cannot_be_read_or_sent_is_the_users_to_correct(scene: Scene) -> None:
    scene.begin(COPY)
    with scene.connect() as client:
        with pytest.raises(InvalidInput, match="No such file"):
            client.upload_dataset(scene.folder / "nowhere", scene.key.private_pem)
        with pytest.raises(InvalidInput, match="No such file"):
            client.upload_algorithm(scene.folder / "nowhere", scene.key.private_pem, kind=AlgorithmKind.BIN)
        with pytest.raises(InvalidInput, match="printable ASCII"):
            scene.upload_algorithm(client, arguments=["naïve"])
        with pytest.raises(InvalidInput):
            client.upload_algorithm(scene.folder / "algorithm", b"no key", kind=AlgorithmKind.BIN)
        scene.upload_algorithm(client)
        scene.control.wait_for_event("ConsumingResults", "Ready")
        with pytest.raises(InvalidInput, match="No such file"):
            client.fetch_result(scene.key.private_pem, scene.folder / "nowhere" / "result.zip")


def test_an_agent_that_is_not_there_is_named(tmp_path: Path, key: KeyPair) -> None:
    address = f"127.0.0.1:{free_port()}"
    with AgentClient.connect(address, tls=ClientTls()) as client:
        with pytest.raises(AgentUnreachable, match=address):
            client.wait_until_serving(0.2)
        with pytest.raises(AgentUnreachable) as caught:
            client.fetch_result(key.private_pem, tmp_path / "result.zip")
    assert caught.value.retry_is_safe
    assert caught.value.code == "UNAVAILABLE"


TINY = b"import tiny_number\nopen('results/n', 'w').write(str(tiny_number.NUMBER))\n"


def tiny_requirements(folder: Path) -> Path:
    """What `TINY` needs, from a folder in place of a package index."""
    wheels = folder / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "tiny_number-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_number.py", "NUMBER = 42\n")
        wheel.writestr(
            "tiny_number-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-number\nVersion: 1.0\n"
        )
        wheel.writestr(
            "tiny_number-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("tiny_number-1.0.dist-info/RECORD", "")
    requirements = folder / "requirements.txt"
    requirements.write_text(f"--no-index\n--find-links {wheels}\ntiny-number\n")
    return requirements


def test_requirements_are_installed_before_the_algorithm_runs(scene: Scene) -> None:
    requirements = tiny_requirements(scene.folder)
    scene.begin(TINY)
    with scene.connect() as client:
        client.upload_algorithm(
            scene.folder / "algorithm",
            scene.key.private_pem,
            kind=AlgorithmKind.PYTHON,
            requirements=requirements,
        )
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert scene.result() == {"n": b"42"}


def test_requirements_that_cannot_be_had_fail_the_run_with_the_reason(scene: Scene) -> None:
    scene.begin(b"pass\n")
    requirements = scene.folder / "requirements.txt"
    requirements.write_text("--no-index\nthere-is-no-such-package\n")
    with scene.connect() as client:
        client.upload_algorithm(
            scene.folder / "algorithm",
            scene.key.private_pem,
            kind=AlgorithmKind.PYTHON,
            requirements=requirements,
        )
    failed = scene.control.wait_for_event("Failed", "Failed")
    assert b"error installing requirements: exit status 1: ERROR: No matching distribution" in failed.details


@pytest.mark.parametrize(
    "size_mib",
    [
        300,
        pytest.param(
            2048,
            marks=pytest.mark.skipif(
                not os.environ.get("PRISM_IAC_BIG_TESTS"),
                reason="writes 4 GiB; set PRISM_IAC_BIG_TESTS to run it",
            ),
        ),
    ],
)
def test_memory_stays_flat_in_a_large_upload(scene: Scene, size_mib: int) -> None:
    data = scene.folder / "large.bin"
    with data.open("wb") as file:
        file.truncate(size_mib << 20)
    algorithm = b"#!/bin/sh\nwc -c < datasets/large.bin > results/size\n"
    request = manifest(scene.key, algorithm, [("large.bin", b"")])
    request.datasets[0].hash = sha3_256_of_path(data)
    (scene.folder / "algorithm").write_bytes(algorithm)
    scene.control.send_manifest(request)
    assert scene.control.wait_for_run_response() == ""
    agent_before, client_before = peak_mib(scene.vm.pid), own_peak_mib()
    with scene.connect() as client:
        scene.upload_algorithm(client)
        scene.upload_dataset(client, "large.bin")
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert int(scene.result()["size"]) == size_mib << 20
    assert peak_mib(scene.vm.pid) - agent_before < 64
    assert own_peak_mib() - client_before < 128


def peak_mib(pid: int) -> int:
    """The most memory that a process has had resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) >> 10
    raise AssertionError("the kernel does not say")


def own_peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def test_an_upload_that_is_cut_leaves_nothing_and_can_be_repeated(scene: Scene) -> None:
    data = os.urandom(8 << 20)
    scene.begin(COPY, {"d": data})

    class Cut(Exception):
        pass

    def cut(done: int, total: int | None) -> None:
        del total
        if done > 4 << 20:
            raise Cut

    incoming = scene.vm.work / "incoming"
    with scene.connect() as client:
        scene.upload_algorithm(client)
        with pytest.raises(Cut):
            client.upload_dataset(scene.folder / "d", scene.key.private_pem, progress=cut)
    deadline = time.monotonic() + 10
    while list(incoming.iterdir()):
        assert time.monotonic() < deadline
    with scene.connect() as client:
        scene.upload_dataset(client, "d")
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert scene.result() == {"d": data}
