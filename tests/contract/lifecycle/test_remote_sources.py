"""Computations of a stack file whose parts nobody uploads, run by the real backend and a VM of this machine."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prism_iac.errors import PartialResult
from prism_iac.lifecycle import Live
from prism_iac.model.resources import ComputationRun, ConfidentialVM, KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, generate_key_pair
from prism_iac.spec import Stack, load_stack
from tests.contract.agent.stores import (
    Broker,
    Store,
    file_entry,
    layer_of,
    open_store,
    push_image,
    sealed_file,
    signed,
)
from tests.contract.lifecycle.conftest import ADDITION
from tests.contract.lifecycle.stage import ADA, GRACE, Stage

NUMBERS = b"1\n2\n39\n"
FILE_KEY = bytes(range(32))
BUCKET_KEY = "canary-of-the-bucket"
RESOURCE = "default/key/numbers"

STACK = """\
environment: dev
workspace: {workspace}
participants:
  ada: {{user: ada@example.com, public_key: ada@example.com.pem}}
  grace: {{user: grace@example.com, public_key: grace@example.com.pem}}
assets:
  addition: {{kind: algorithm, provider: grace, checksum: {addition}, source: {{url: "{store}/addition.py"}}}}
  numbers: {{kind: dataset, provider: ada, checksum: {numbers}, source: {{url: s3://lab/numbers.txt}}}}
  addition-image:
    kind: algorithm
    provider: grace
    checksum: {addition}
    source: {{url: "{image}"}}
    runtime: python
  sealed:
    kind: dataset
    provider: ada
    checksum: {numbers}
    file_name: numbers.txt
    source:
      url: {store}/numbers.sealed
      encrypted: true
      kbs_url: {store}
      kbs_resource_path: default/key/numbers
computations:
  plain: &computation
    description: adds what is in a store and in a bucket
    algorithm: addition
    datasets: [numbers]
    result_consumers: [ada]
    agent: {{tls: none}}
  hidden:
    <<: *computation
    description: adds what is encrypted, by what is in an image
    algorithm: addition-image
    datasets: [sealed]
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store behind a CA that agents of this test trust, and what it takes to reach it."""
    now, ec = datetime.now(UTC), KeySpec(algorithm=KeyAlgorithm.ECDSA)
    authority = Authority.create("Stores", key=ec, now=now, validity=timedelta(days=1))
    own = authority.issue(
        common_name="store", dns_names=["localhost"], key=ec, now=now, validity=timedelta(days=1)
    )
    for name, content in (
        ("ca", authority.certificate_pem),
        ("cert", own.certificate_pem),
        ("key", own.key_pem),
    ):
        (tmp_path / f"store.{name}").write_bytes(content)
    with open_store(tmp_path / "store.cert", tmp_path / "store.key") as store:
        for variable, value in {
            "SSL_CERT_FILE": str(tmp_path / "store.ca"),
            "AGENT_SOURCE_NETWORKS": "127.0.0.0/8,::1/128",
            "AWS_ENDPOINT_URL": f"{store.url}/s3",
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": BUCKET_KEY,
            "AWS_REGION": "eu-test-1",
        }.items():
            monkeypatch.setenv(variable, value)
        yield store


@pytest.fixture
def stack(store: Store, stage: Stage, tmp_path: Path) -> Stack:
    """The stack file with its keys; everything that it names is in the store."""
    store.serve("/addition.py", ADDITION.encode())
    store.routes["/s3/lab/numbers.txt"] = signed(NUMBERS, BUCKET_KEY)
    store.serve("/numbers.sealed", sealed_file(NUMBERS, FILE_KEY))
    Broker(store, {RESOURCE: FILE_KEY})
    image = push_image(store, layer_of([file_entry("app/addition.py", ADDITION.encode())]))
    for user in (ADA, GRACE):
        stage.keys[user] = generate_key_pair(KeyAlgorithm.ED25519)
        (tmp_path / f"{user}.pem").write_bytes(stage.keys[user].public_pem)
    file = tmp_path / "dev.yaml"
    file.write_text(
        STACK.format(
            workspace=stage.workspace_name,
            addition=hashlib.sha3_256(ADDITION.encode()).hexdigest(),
            numbers=hashlib.sha3_256(NUMBERS).hexdigest(),
            store=store.url,
            image=image,
        )
    )
    return load_stack(file)


@pytest.fixture
def fetching(store: Store, stage: Stage) -> Iterator[Live[ConfidentialVM]]:  # noqa: ARG001  # in its environment
    """A VM that was started where the store can be reached."""
    vm = stage.create("ConfidentialVM", "fetching")
    yield vm
    stage.delete(vm)


def run(stage: Stage, stack: Stack, name: str, vm: Live[ConfidentialVM]) -> Live[ComputationRun]:
    """What an update makes of a computation, with its run awaited."""
    declared = stack.computations[name]
    assets = {
        item.name: stage.create(
            "Asset",
            item.name,
            asset_type=item.kind,
            provider=item.provider.user,
            description=item.description,
            checksum=item.checksum,
            file_name=item.file_name,
            source=item.source.to_json() if item.source else None,
        ).id
        for item in (declared.algorithm, *declared.datasets)
    }
    computation = stage.computation(
        name,
        description=declared.description,
        algorithm=assets.pop(declared.algorithm.name),
        datasets=list(assets.values()),
        result_consumers=[consumer.user for consumer in declared.result_consumers],
    )
    for user in (ADA, GRACE):
        key = stage.keys[user].public_pem.decode()
        stage.create("PublicKey", f"{name}/{user}", computation=computation.id, user=user, key=key)
    return stage.create("ComputationRun", name, computation=computation.id, vm=vm.id, wait=True, timeout="2m")


def test_computations_run_to_their_results_without_an_upload(
    stage: Stage, stack: Stack, fetching: Live[ConfidentialVM], tmp_path: Path
) -> None:
    for name in ("plain", "hidden"):
        ended = run(stage, stack, name, fetching)
        assert ended.state.status == "completed"
        result = stage.fetch_result(ended, tmp_path / f"{name}.zip")
        assert zipfile.ZipFile(result).read("sum.txt") == b"42"
    kept = [path for path in stage.data.rglob("*") if path.is_file()]
    for secret in (BUCKET_KEY.encode(), FILE_KEY):
        assert [path for path in kept if secret in path.read_bytes()] == []


def test_a_source_that_is_not_what_is_pinned_fails_the_run_with_its_reason(
    stage: Stage, stack: Stack, store: Store, fetching: Live[ConfidentialVM]
) -> None:
    store.serve("/addition.py", b"print('other')\n")
    with pytest.raises(PartialResult, match="algorithm hash mismatch: expected "):
        run(stage, stack, "plain", fetching)
