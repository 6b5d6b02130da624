"""Every refusal of cocos-grpc.md section 2.4 that an agent can come to, and that nothing is lost by it."""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import grpc
import pytest

from prism_iac.agent import AgentRefused, ComputationFailed
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair, sign_role
from prism_iac.wire.agent_pb2 import (
    AlgoRequest,
    AttestationRequest,
    AttestationTokenRequest,
    DataRequest,
    IMAMeasurementsRequest,
    ResultRequest,
)
from prism_iac.wire.agent_pb2_grpc import AgentServiceStub
from tests.contract.agent.control import Control
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import Vm, manifest

ALGORITHM = b"#!/bin/sh\ncat datasets/* > results/all\n"
FIRST = b"first\n"
SECOND = b"second\n"

Metadata = tuple[tuple[str, str], ...]


@dataclass
class Caller:
    """A participant without the client's care."""

    key: KeyPair
    stub: AgentServiceStub = field(repr=False)

    def signed(self, role: str) -> Metadata:
        signature = base64.b64encode(sign_role(self.key.private_pem, role)).decode()
        return ("user-id", role), ("signature", signature)

    def algo(self, *chunks: bytes, metadata: Metadata | None = None, kind: str | None = "bin") -> None:
        metadata = self.signed("algorithm-provider") if metadata is None else metadata
        kinds = (("algo_type", kind),) if kind is not None else ()
        self.stub.Algo(iter([AlgoRequest(algorithm=chunk) for chunk in chunks]), metadata=(*metadata, *kinds))

    def data(
        self, name: str, *chunks: bytes, metadata: Metadata | None = None, decompress: bool = False
    ) -> None:
        metadata = self.signed("data-provider") if metadata is None else metadata
        messages = iter([DataRequest(dataset=chunk, filename=name) for chunk in chunks])
        self.stub.Data(messages, metadata=(*metadata, ("decompress", str(decompress).lower())))

    def result(self, metadata: Metadata | None = None) -> bytes:
        metadata = self.signed("consumer") if metadata is None else metadata
        return b"".join(message.file for message in self.stub.Result(ResultRequest(), metadata=metadata))


@pytest.fixture
def caller(scene: Scene) -> Iterator[Caller]:
    """A participant of a computation with two datasets, the second of them known by its hash alone."""
    scene.control.send_manifest(manifest(scene.key, ALGORITHM, [("first.csv", FIRST), ("", SECOND)]))
    assert scene.control.wait_for_run_response() == ""
    with grpc.insecure_channel(scene.vm.address) as channel:
        yield Caller(scene.key, AgentServiceStub(channel))


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code().name, caught.value.details() or ""


def finish(caller: Caller, control: Control) -> None:
    """Whatever was refused before, the computation still comes to its end."""
    if control.state() == "ReceivingAlgorithm":
        caller.algo(ALGORITHM)
    caller.data("first.csv", FIRST)
    caller.data("second.csv", SECOND)
    control.wait_for_event("ConsumingResults", "Ready")
    with zipfile.ZipFile(io.BytesIO(caller.result())) as archive:
        assert archive.read("all") == FIRST + SECOND


BAD_METADATA = (
    "UNAUTHENTICATED",
    "rpc error: code = Unauthenticated desc = invalid metadata : invalid metadata",
)
BAD_SIGNATURE = ("UNAUTHENTICATED", "signature verification failed")


def test_who_does_not_sign_is_not_let_in(caller: Caller, control: Control) -> None:
    two = (*caller.signed("algorithm-provider"), *caller.signed("algorithm-provider"))
    assert refusal(lambda: caller.algo(ALGORITHM, metadata=())) == BAD_METADATA
    assert refusal(lambda: caller.algo(ALGORITHM, metadata=two)) == BAD_METADATA
    assert refusal(lambda: caller.data("first.csv", FIRST, metadata=())) == BAD_METADATA
    assert refusal(lambda: caller.result(metadata=())) == BAD_METADATA
    finish(caller, control)


def test_a_signature_of_another_key_or_role_is_not_accepted(caller: Caller, control: Control) -> None:
    stranger = Caller(generate_key_pair(KeyAlgorithm.ED25519), caller.stub)
    for metadata in (
        stranger.signed("algorithm-provider"),
        caller.signed("data-provider"),
        (("signature", "not base64!"),),
        (("signature", ""),),
    ):
        assert refusal(lambda metadata=metadata: caller.algo(ALGORITHM, metadata=metadata)) == BAD_SIGNATURE  # type: ignore[misc]  # a default binds the loop's value
    assert refusal(lambda: stranger.data("first.csv", FIRST)) == BAD_SIGNATURE
    assert refusal(stranger.result) == BAD_SIGNATURE
    finish(caller, control)


@pytest.mark.parametrize("call", ["Algo", "Data"])
def test_a_refusal_comes_after_what_was_sent(caller: Caller, call: str) -> None:
    """Go programs that are still sending learn of no refusal but that there is one."""
    refused = threading.Event()
    refused_early = []

    def upload() -> Iterator[AlgoRequest | DataRequest]:
        request = AlgoRequest(algorithm=b"1") if call == "Algo" else DataRequest(dataset=b"1")
        yield request
        refused_early.append(refused.wait(0.5))
        yield request

    sent = getattr(caller.stub, call).future(upload(), metadata=caller.signed("consumer"))
    sent.add_done_callback(lambda _: refused.set())
    assert refusal(sent.result) == BAD_SIGNATURE
    assert refused_early == [False]


def test_an_empty_upload_is_refused(caller: Caller, control: Control) -> None:
    assert refusal(lambda: caller.algo(b"")) == ("UNKNOWN", "algorithm binary is required")
    assert refusal(caller.algo) == ("UNKNOWN", "algorithm binary is required")
    caller.algo(ALGORITHM)
    assert refusal(lambda: caller.data("first.csv", b"")) == ("UNKNOWN", "dataset is required")
    finish(caller, control)


def test_another_file_than_the_declared_one_is_refused(caller: Caller, control: Control) -> None:
    differs = ("UNKNOWN", "malformed data, hash does not match manifest")
    undeclared = ("UNKNOWN", "dataset not declared in computation manifest")
    assert refusal(lambda: caller.algo(ALGORITHM + b"x")) == differs
    caller.algo(ALGORITHM[:5], ALGORITHM[5:])
    assert refusal(lambda: caller.data("first.csv", SECOND)) == differs
    assert refusal(lambda: caller.data("other.csv", FIRST)) == undeclared
    finish(caller, control)


def test_calls_out_of_order_and_repeated_ones_are_refused(caller: Caller, control: Control) -> None:
    not_expected = ("UNKNOWN", "agent not expecting this operation in the current state")
    undeclared = ("UNKNOWN", "dataset not declared in computation manifest")
    assert refusal(lambda: caller.data("first.csv", FIRST)) == not_expected
    assert refusal(caller.result) == ("UNKNOWN", "computation results are not yet ready")
    caller.algo(ALGORITHM)
    assert refusal(lambda: caller.algo(ALGORITHM)) == not_expected
    caller.data("second.csv", SECOND)
    assert refusal(lambda: caller.data("second.csv", SECOND)) == undeclared
    caller.data("first.csv", FIRST)
    control.wait_for_event("ConsumingResults", "Ready")
    assert refusal(lambda: caller.data("first.csv", FIRST)) == not_expected


def test_a_file_name_that_leads_elsewhere_is_refused(caller: Caller, control: Control, vm: Vm) -> None:
    caller.algo(ALGORITHM)
    for name in ("../escape", "/etc/escape", "..", "a/b", "a\\b", "", "x\x00y", "x\x1b[2J", "é" * 200):
        code, text = refusal(lambda name=name: caller.data(name, SECOND))  # type: ignore[misc]  # a default binds the loop's value
        assert code == "UNKNOWN"
        assert text.startswith("malformed data, the file name ")
    assert list((vm.work / "computation" / "datasets").iterdir()) == []
    finish(caller, control)


def test_a_dataset_does_not_take_the_name_of_another(caller: Caller, control: Control) -> None:
    caller.algo(ALGORITHM)
    caller.data("first.csv", FIRST)
    code, text = refusal(lambda: caller.data("first.csv", SECOND))
    assert (code, text) == ("UNKNOWN", "a dataset with this file name has been received already")
    caller.data("second.csv", SECOND)
    control.wait_for_event("ConsumingResults", "Ready")


def test_an_algorithm_without_a_kind_is_a_binary(caller: Caller, control: Control) -> None:
    caller.algo(ALGORITHM, kind=None)
    finish(caller, control)


def test_a_malformed_request_for_evidence_is_refused(caller: Caller) -> None:
    for request, text in (
        (AttestationRequest(teeNonce=bytes(65)), "malformed report data, expect less or equal to 64 bytes"),
        (AttestationRequest(vtpmNonce=bytes(33)), "malformed vTPM nonce, expect less or equal to 32 bytes"),
        (AttestationRequest(type=5), "invalid attestation type"),
        (AttestationRequest(type=-1), "invalid attestation type"),
    ):
        assert refusal(lambda request=request: list(caller.stub.Attestation(request))) == ("UNKNOWN", text)  # type: ignore[misc]  # a default binds the loop's value


def test_evidence_that_the_vm_cannot_give_is_refused(caller: Caller) -> None:
    code, text = refusal(lambda: list(caller.stub.Attestation(AttestationRequest(teeNonce=bytes(64)))))
    assert (code, text[:24]) == ("UNKNOWN", "failed to get raw quote ")
    code, text = refusal(lambda: list(caller.stub.IMAMeasurements(IMAMeasurementsRequest())))
    assert (code, text[:46]) == ("UNKNOWN", "error reading Linux IMA measurements file: thi")
    long = AttestationTokenRequest(tokenNonce=bytes(33))
    assert refusal(lambda: caller.stub.AzureAttestationToken(long)) == (
        "UNKNOWN",
        "malformed vTPM nonce, expect less or equal to 32 bytes",
    )
    assert refusal(lambda: caller.stub.AzureAttestationToken(AttestationTokenRequest())) == (
        "UNKNOWN",
        "attestation type does not exist or is not supported",
    )


@pytest.mark.parametrize(
    ("algorithm", "kind", "error"),
    [
        (b"#!/bin/sh\nexit 3\n", "bin", "algorithm execution error: exit status 3"),
        (b"#!/bin/sh\nkill -9 $$\n", "bin", "algorithm execution error: signal: killed"),
        (b"\x7fELF and no more", "bin", "error starting algorithm: Exec format error"),
        (b"no module", "wasm", "algorithm execution error: exit status 1"),
        (b"an image", "docker", "unsupported algorithm type: docker"),
        (b"anything", "perl", "unsupported algorithm type: perl"),
        (
            b"#!/bin/sh\nrm -r results; ln -s / results\n",
            "bin",
            "the algorithm left no folder results/",
        ),
    ],
)
def test_consumers_are_told_how_a_run_failed(scene: Scene, algorithm: bytes, kind: str, error: str) -> None:
    control = scene.control
    scene.begin(algorithm)
    with grpc.insecure_channel(scene.vm.address) as channel:
        caller = Caller(scene.key, AgentServiceStub(channel))
        caller.algo(algorithm, kind=kind)
        failed = control.wait_for_event("Failed", "Failed")
        assert json.loads(failed.details) == {"error": error}
        assert refusal(caller.result) == ("UNKNOWN", error)
    assert [event for event in control.events() if event != ("AlgorithmRun", "Warning")] == [
        ("ReceivingAlgorithm", "InProgress"),
        ("Running", "Starting"),
        ("Running", "InProgress"),
        ("Running", "Failed"),
        ("Failed", "Failed"),
    ]
    assert control.state() == "Failed"
    with scene.connect() as client, pytest.raises(ComputationFailed) as caught:
        scene.fetch(client)
    assert caught.value.agent_text == error
    assert not (scene.folder / "result.zip").exists()


def zip_of(*entries: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def upload_archive(scene: Scene, archive: bytes) -> None:
    scene.begin(b"#!/bin/sh\nfind datasets -type f | sort > results/listing\n", {"data": archive})
    with scene.connect() as client:
        scene.upload_algorithm(client)
        scene.upload_dataset(client, "data", decompress=True)


def test_an_archive_is_unpacked_on_demand(scene: Scene) -> None:
    upload_archive(scene, zip_of(("a.csv", b"1"), ("deep/b.csv", b"2")))
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert scene.result() == {"listing": b"datasets/a.csv\ndatasets/deep/b.csv\n"}


@pytest.mark.parametrize("archive", [b"no archive", zip_of(("../x", b"1"))], ids=["not-zip", "leaves"])
def test_a_bad_archive_is_refused_and_leaves_nothing(scene: Scene, archive: bytes) -> None:
    with pytest.raises(AgentRefused, match="error decompressing dataset: "):
        upload_archive(scene, archive)
    assert scene.control.state() == "ReceivingData"
    assert list((scene.vm.work / "computation" / "datasets").iterdir()) == []
    assert list((scene.vm.work / "incoming").iterdir()) == []
