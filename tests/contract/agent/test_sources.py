"""What a manifest says is elsewhere, fetched by a real agent from servers that speak the real protocols."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prism_iac.agent import AgentFailed, AgentRefused
from prism_iac.attestation import SimulatedGuest
from prism_iac.pki import Authority, IssuedCertificate, KeyPair
from prism_iac.wire.cvms_pb2 import ComputationRunReq, KBSConfig, Source
from tests.contract.agent.control import Control
from tests.contract.agent.scene import Scene
from tests.contract.agent.stores import (
    Answer,
    Broker,
    Request,
    Store,
    file_entry,
    layer_of,
    open_store,
    push_image,
    push_index,
    sealed_file,
    signed,
)
from tests.contract.agent.vm import manifest

ALGORITHM = b'#!/bin/sh\ncat datasets/iris.csv > results/out.txt\necho "$@" >> results/out.txt\n'
IRIS = b"5.1,3.5,1.4,0.2\n"
KEY = bytes(range(32))
RESOURCE = "default/key/iris"
BUCKET_KEY = "secret-of-the-bucket"


@pytest.fixture
def store(tmp_path: Path, issue: Callable[[str], IssuedCertificate]) -> Iterator[Store]:
    own = issue("store")
    (tmp_path / "store.pem").write_bytes(own.certificate_pem)
    (tmp_path / "store.key").write_bytes(own.key_pem)
    with open_store(tmp_path / "store.pem", tmp_path / "store.key") as store:
        yield store


@dataclass
class Remote:
    """An agent that trusts the store, and the store."""

    scene: Scene
    store: Store

    def order(
        self, algorithm: Source | str | None = None, dataset: Source | str | None = None, **kbs: str
    ) -> ComputationRunReq:
        """A manifest of the algorithm and the dataset; what is not given is to be uploaded."""
        request = manifest(self.scene.key, ALGORITHM, (("iris.csv", IRIS),))
        for item, source in ((request.algorithm, algorithm), (request.datasets[0], dataset)):
            if source is not None:
                item.source.CopyFrom(Source(url=source) if isinstance(source, str) else source)
                item.kbs.CopyFrom(KBSConfig(enabled=True, **kbs))
        request.algorithm.algo_type = "bin"
        request.algorithm.algo_args.extend(("one", "two"))
        return request

    def begin(self, request: ComputationRunReq) -> None:
        self.scene.control.say(runReq=request)
        assert self.scene.control.wait_for_run_response() == ""

    def result_of(self, request: ComputationRunReq) -> bytes:
        self.begin(request)
        self.scene.control.wait_for_event("ConsumingResults", "Ready")
        return self.scene.result()["out.txt"]

    def failure_of(self, request: ComputationRunReq) -> str:
        """What consumers are told, with nothing left of what was fetched."""
        self.begin(request)
        self.scene.control.wait_for_event("Failed", "Failed")
        assert self.scene.control.state() == "Failed"
        with self.scene.connect() as client, pytest.raises((AgentFailed, AgentRefused)) as caught:
            self.scene.fetch(client)
        work = self.scene.vm.work
        assert [path for path in work.rglob("*") if path.is_file()] == []
        return str(caught.value)


@pytest.fixture
def make_remote(  # noqa: PLR0917  # fixtures come by name
    make_vm: Callable[..., Any],
    control: Control,
    key: KeyPair,
    tmp_path: Path,
    store: Store,
    guest: SimulatedGuest,
    authority: Authority,
) -> Callable[..., Remote]:
    def make(**extra: str) -> Remote:
        ca, platform = tmp_path / "ca.pem", tmp_path / "platform"
        ca.write_bytes(authority.certificate_pem)
        platform.mkdir()
        guest.save(platform)
        settings = {
            "AGENT_PLATFORM": "simulated-sev-snp",
            "AGENT_PLATFORM_DIR": str(platform),
            "SSL_CERT_FILE": str(ca),
            "AGENT_SOURCE_NETWORKS": "127.0.0.0/8,::1/128",
            "AGENT_SOURCE_MIB": "1",
        }
        vm = make_vm(**(settings | extra))
        control.wait_for_streams(1)
        return Remote(Scene(vm, control, key, tmp_path), store)

    return make


@pytest.fixture
def remote(make_remote: Callable[..., Remote]) -> Remote:
    return make_remote()


def test_a_run_without_any_upload(remote: Remote) -> None:
    algorithm = remote.store.serve("/algo.sh", ALGORITHM)
    iris = remote.store.serve("/iris.csv", IRIS)
    assert remote.result_of(remote.order(algorithm, iris)) == IRIS + b"one two\n"


def test_an_upload_and_a_source_in_one_computation(remote: Remote) -> None:
    iris = remote.store.serve("/iris.csv", IRIS)
    remote.begin(remote.order(None, iris))
    (remote.scene.folder / "algorithm").write_bytes(ALGORITHM)
    with remote.scene.connect() as client:
        remote.scene.upload_algorithm(client, arguments=["up"])
    remote.scene.control.wait_for_event("ConsumingResults", "Ready")
    assert remote.scene.result()["out.txt"] == IRIS + b"up\n"


def test_without_the_trigger_an_upload_is_waited_for(remote: Remote) -> None:
    request = remote.order(remote.store.serve("/algo.sh", ALGORITHM))
    request.algorithm.kbs.enabled = False
    remote.begin(request)
    assert remote.scene.control.state() == "ReceivingAlgorithm"
    assert remote.store.requests == []


def test_the_broker_of_a_whole_computation_triggers_as_for_agents_of_09(remote: Remote) -> None:
    request = remote.order(remote.store.serve("/algo.sh", ALGORITHM), remote.store.serve("/iris", IRIS))
    for item in (request.algorithm, request.datasets[0]):
        item.ClearField("kbs")
    request.kbs.enabled = True
    assert remote.result_of(request) == IRIS + b"one two\n"


def sealed(
    remote: Remote, *, key: bytes = KEY, broker: bool = True, wrapping: bool = True
) -> ComputationRunReq:
    url = remote.store.serve("/iris.sealed", sealed_file(IRIS, KEY))
    if broker:
        Broker(remote.store, {RESOURCE: key}, is_wrapping=wrapping)
    source = Source(url=url, encrypted=True, kbs_resource_path=RESOURCE)
    return remote.order(remote.store.serve("/algo.sh", ALGORITHM), source, url=remote.store.url)


@pytest.mark.parametrize("wrapping", [True, False], ids=["JWE", "plain key"])
def test_an_encrypted_dataset_with_a_key_from_the_broker(remote: Remote, *, wrapping: bool) -> None:
    assert remote.result_of(sealed(remote, wrapping=wrapping)) == IRIS + b"one two\n"


def test_the_key_of_the_broker_reaches_no_log(remote: Remote) -> None:
    assert remote.result_of(sealed(remote, wrapping=False))
    console = remote.scene.vm.console.read_bytes()
    assert KEY not in console
    assert KEY.hex().encode() not in console
    (asked,) = [item for item in remote.store.requests if item.path.endswith(RESOURCE)]
    assert asked.headers["authorization"].removeprefix("Bearer ").encode() not in console


def test_a_wrong_key(remote: Remote) -> None:
    assert "failed to decrypt resource: the key is not the one" in remote.failure_of(
        sealed(remote, key=bytes(32))
    )


def test_a_broker_that_does_not_know_the_key(remote: Remote) -> None:
    request = sealed(remote)
    del remote.store.routes[f"/kbs/v0/resource/{RESOURCE}"]
    assert "retrieve decryption key from KBS: KBS returned status 404" in remote.failure_of(request)


def test_a_broker_that_does_not_believe_the_evidence(remote: Remote) -> None:
    request = sealed(remote)
    remote.store.serve("/kbs/v0/attest", status=401)
    assert "failed to retrieve token from attestation service" in remote.failure_of(request)
    assert not any("resource" in item.path for item in remote.store.requests)


def test_a_vm_without_a_platform_gets_no_key(make_remote: Callable[..., Remote]) -> None:
    remote = make_remote(AGENT_PLATFORM="", AGENT_PLATFORM_DIR="")
    assert "this VM has no trusted execution environment" in remote.failure_of(sealed(remote))


def test_encrypted_without_a_broker(remote: Remote) -> None:
    url = remote.store.serve("/iris.sealed", sealed_file(IRIS, KEY))
    request = remote.order(remote.store.serve("/algo.sh", ALGORITHM), Source(url=url, encrypted=True))
    assert "KBS not configured or not enabled" in remote.failure_of(request)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"body": b"other"}, "dataset iris.csv hash mismatch: expected "),
        (
            {"status": 404},
            "failed to download and decrypt dataset iris.csv: failed to download resource from",
        ),
        ({"body": IRIS, "cut": 3}, "the connection ended in the middle"),
        ({"body": bytes((1 << 20) + 1)}, "more than the 1048576 bytes that are allowed"),
        (
            {"status": 302, "headers": {"Location": "http://localhost/iris.csv"}},
            "redirects from https to http",
        ),
        ({"status": 302, "headers": {"Location": "file:///etc/passwd"}}, "redirects to file"),
        ({"status": 302, "headers": {"Location": "/iris.csv"}}, "more than 5 redirects"),
        (
            {"status": 302, "headers": {"Location": "https://169.254.169.254/latest"}},
            "network's own services",
        ),
    ],
    ids=["wrong hash", "404", "cut", "too large", "to http", "to a file", "loop", "to metadata"],
)
def test_a_dataset_that_does_not_come_as_declared(
    remote: Remote, answer: dict[str, Any], expected: str
) -> None:
    iris = remote.store.serve("/iris.csv", **answer)
    told = remote.failure_of(remote.order(remote.store.serve("/algo.sh", ALGORITHM), iris))
    assert expected in told


def test_a_store_that_falls_silent(make_remote: Callable[..., Remote]) -> None:
    remote = make_remote(AGENT_SOURCE_STALL_SECONDS="1")
    algorithm = remote.store.serve("/algo.sh", ALGORITHM, waits=True)
    assert "it stopped sending" in remote.failure_of(remote.order(algorithm))


def test_a_stop_ends_what_is_being_fetched(remote: Remote) -> None:
    remote.begin(remote.order(remote.store.serve("/algo.sh", ALGORITHM, waits=True)))
    remote.scene.control.stop()
    remote.scene.control.wait_for(lambda message: message.HasField("stopComputationRes"))
    assert remote.scene.control.state() == "ReceivingManifest"
    assert [path for path in remote.scene.vm.work.rglob("*") if path.is_file()] == []


def test_a_redirect_to_another_host_is_followed_without_our_headers(remote: Remote) -> None:
    target = remote.store.serve("/elsewhere", IRIS).replace("localhost", "127.0.0.1")
    iris = remote.store.serve("/iris.csv", status=307, headers={"Location": target})
    algorithm = remote.store.serve("/algo.sh", ALGORITHM)
    assert remote.result_of(remote.order(algorithm, iris)) == IRIS + b"one two\n"


def test_a_store_whose_certificate_is_not_trusted(make_remote: Callable[..., Remote]) -> None:
    remote = make_remote(SSL_CERT_FILE="")
    assert "cannot be reached" in remote.failure_of(remote.order(remote.store.serve("/algo.sh", ALGORITHM)))


def test_this_machine_is_no_source_unless_allowed(make_remote: Callable[..., Remote]) -> None:
    remote = make_remote(AGENT_SOURCE_NETWORKS="")
    told = remote.failure_of(remote.order(remote.store.serve("/algo.sh", ALGORITHM)))
    assert "of this machine or of the network's own services" in told
    assert remote.store.requests == []


def test_an_unknown_scheme(remote: Remote) -> None:
    assert "unsupported source URL format: ftp://" in remote.failure_of(remote.order("ftp://host/algo.sh"))


def test_the_secrets_of_a_presigned_url_are_not_told(remote: Remote) -> None:
    told = remote.failure_of(remote.order(f"{remote.store.url}/gone?X-Amz-Signature=canary"))
    assert "/gone" in told
    assert "canary" not in told
    assert b"canary" not in remote.scene.vm.console.read_bytes()


def test_an_object_of_a_store_that_speaks_s3(make_remote: Callable[..., Remote], store: Store) -> None:
    remote = make_remote(
        AWS_ENDPOINT_URL=store.url,
        AWS_ACCESS_KEY_ID="lab",
        AWS_SECRET_ACCESS_KEY=BUCKET_KEY,
        AWS_REGION="eu-test-1",
    )

    store.routes["/data/iris%20set.csv"] = signed(IRIS, BUCKET_KEY)
    request = remote.order(store.serve("/algo.sh", ALGORITHM), "s3://data/iris set.csv")
    assert remote.result_of(request) == IRIS + b"one two\n"
    assert BUCKET_KEY.encode() not in remote.scene.vm.console.read_bytes()


def test_an_object_of_a_store_that_speaks_gcs(make_remote: Callable[..., Remote], store: Store) -> None:
    remote = make_remote(AGENT_SOURCE_GCS_URL=store.url)
    store.serve("/data/iris%20set.csv", IRIS)
    request = remote.order(store.serve("/algo.sh", ALGORITHM), "gs://data/iris set.csv")
    assert remote.result_of(request) == IRIS + b"one two\n"
    assert not any("authorization" in asked.headers for asked in store.requests)


def archive_of(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def unpacked(remote: Remote, archive: bytes) -> ComputationRunReq:
    """A manifest with a dataset that is an archive to be unpacked."""
    request = remote.order(
        remote.store.serve("/algo.sh", ALGORITHM), remote.store.serve("/iris.zip", archive)
    )
    request.datasets[0].hash = hashlib.sha3_256(archive).digest()
    request.datasets[0].filename = "iris.zip"
    request.datasets[0].decompress = True
    return request


def test_an_archive_that_is_unpacked(remote: Remote) -> None:
    archive = archive_of({"iris.csv": IRIS, "notes/about.txt": b"-"})
    assert remote.result_of(unpacked(remote, archive)) == IRIS + b"one two\n"


@pytest.mark.parametrize("archive", [b"no archive", archive_of({"../../iris.csv": IRIS})])
def test_an_archive_that_cannot_be_unpacked(remote: Remote, archive: bytes) -> None:
    assert "error decompressing dataset" in remote.failure_of(unpacked(remote, archive))


def test_an_image_with_the_algorithm_and_one_with_the_data(remote: Remote) -> None:
    base = layer_of([file_entry("usr/bin/run-base", b"not this one", 0o755)])
    top = layer_of([file_entry("app/notes.md", b"-"), file_entry("app/run", ALGORITHM, 0o755)])
    algorithm = push_image(remote.store, base, top)
    iris = push_image(remote.store, layer_of([file_entry("data/iris.csv", IRIS)]), repository="lab/iris")
    remote.store.routes["/token"] = token_of_any
    assert remote.result_of(remote.order(algorithm, iris)) == IRIS + b"one two\n"


def token_of_any(_: Request) -> Answer:
    return Answer(b'{"token": "token-of-the-registry"}')


def index_of(remote: Remote, **images: str) -> str:
    """An index of images, by platform, before which another one stands that is no image."""
    unknown = {"os": "unknown", "architecture": "unknown"}
    entries = [{"digest": f"sha256:{'0' * 64}", "platform": unknown}]
    for platform, image in images.items():
        system, machine = platform.split("_")
        digest = image.rpartition("@")[2]
        entries.append({"digest": digest, "platform": {"os": system, "architecture": machine}})
    return push_index(remote.store, entries)


def test_an_image_of_several_platforms(remote: Remote) -> None:
    other = push_image(remote.store, layer_of([file_entry("run", b"#!/bin/false\n", 0o755)]))
    ours = push_image(remote.store, layer_of([file_entry("run", ALGORITHM, 0o755)]))
    iris = remote.store.serve("/iris.csv", IRIS)
    image = index_of(remote, linux_arm64=other, linux_amd64=ours)
    assert remote.result_of(remote.order(image, iris)) == IRIS + b"one two\n"


def test_an_image_of_other_platforms_only(remote: Remote) -> None:
    image = push_image(remote.store, layer_of([file_entry("run", ALGORITHM, 0o755)]))
    index = index_of(remote, windows_amd64=image)
    assert "not made for Linux on amd64" in remote.failure_of(remote.order(index))


def test_an_image_whose_layers_are_encrypted(remote: Remote) -> None:
    layer = layer_of([file_entry("run", ALGORITHM, 0o755)])
    image = push_image(
        remote.store, layer, media_type="application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
    )
    assert "layers are encrypted" in remote.failure_of(remote.order(image))


def test_an_image_by_its_tag_is_refused(remote: Remote) -> None:
    assert "not named by its sha256 digest" in remote.failure_of(
        remote.order(f"{remote.store.host}/lab/algo:1")
    )


@pytest.mark.parametrize("part", ["manifests", "blobs"])
def test_an_image_with_other_bytes_than_its_digest_says(remote: Remote, part: str) -> None:
    image = push_image(remote.store, layer_of([file_entry("run", ALGORITHM, 0o755)]))
    (path,) = [path for path in remote.store.routes if part in path]
    remote.store.serve(path, b'{"layers": []}')
    assert "other bytes than" in remote.failure_of(remote.order(image))


def link(name: str, target: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, b""


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (file_entry("../../run", ALGORITHM, 0o755), "leaves the image"),
        (file_entry("/etc/run", ALGORITHM, 0o755), "leaves the image"),
        (link("run", "/etc/passwd", tarfile.SYMTYPE), "it has no file of the type bin"),
        (link("run", "other", tarfile.LNKTYPE), "it has no file of the type bin"),
        (file_entry("run", bytes(4 << 20), 0o755), "holds more bytes than are allowed"),
    ],
    ids=["dots", "absolute", "symbolic link", "hard link", "bomb"],
)
def test_a_layer_that_is_meant_to_harm(
    remote: Remote, entry: tuple[tarfile.TarInfo, bytes], expected: str
) -> None:
    image = push_image(remote.store, layer_of([entry]))
    assert expected in remote.failure_of(remote.order(image))
    assert os.path.lexists("/etc/run") is False
