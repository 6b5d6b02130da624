"""Whatever Prism sends, the agent accepts it or says what is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.agent.server._file_name import problem_of_file_name
from prism_iac.agent.server._manifest import read_manifest
from prism_iac.errors import InvalidInput
from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, parse_public_key
from prism_iac.wire.cvms_pb2 import Algorithm, ComputationRunReq, Dataset, ResultConsumer

DER = parse_public_key(generate_key_pair(KeyAlgorithm.ED25519).public_pem)

hashes = st.one_of(st.just(bytes(32)), st.binary(max_size=40))
keys = st.one_of(st.just(DER), st.binary(max_size=60))
names = st.one_of(st.just("a.csv"), st.text(max_size=20))
requests = st.builds(
    ComputationRunReq,
    id=st.text(max_size=5),
    algorithm=st.one_of(st.none(), st.builds(Algorithm, hash=hashes, userKey=keys)),
    datasets=st.lists(st.builds(Dataset, hash=hashes, userKey=keys, filename=names), max_size=3),
    result_consumers=st.lists(st.builds(ResultConsumer, userKey=keys), max_size=2),
)


def test_a_whole_request_is_read() -> None:
    request = ComputationRunReq(
        id="c",
        name="n",
        description="d",
        algorithm=Algorithm(hash=b"\x01" * 32, userKey=DER),
        datasets=[Dataset(hash=b"\x02" * 32, userKey=DER, filename="a.csv")],
        result_consumers=[ResultConsumer(userKey=DER)],
    )
    assert read_manifest(request) == Manifest(
        id="c",
        name="n",
        description="d",
        algorithm=ManifestAlgorithm(hash=b"\x01" * 32, user_key=DER),
        datasets=(ManifestDataset(hash=b"\x02" * 32, user_key=DER, filename="a.csv"),),
        result_consumers=(DER,),
    )


def outcome(request: ComputationRunReq) -> Manifest | InvalidInput:
    try:
        return read_manifest(request)
    except InvalidInput as error:
        return error


@given(requests)
def test_a_request_is_accepted_or_refused_with_findings(request: ComputationRunReq) -> None:
    found = outcome(request)
    if isinstance(found, InvalidInput):
        assert found.findings
        assert all(finding.path and finding.message and finding.fix for finding in found.findings)
    else:
        assert len(found.algorithm.hash) == 32
        assert all(len(dataset.hash) == 32 for dataset in found.datasets)
        assert all(not problem_of_file_name(dataset.filename or "x") for dataset in found.datasets)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    request = ComputationRunReq(
        datasets=[
            Dataset(hash=b"short", filename="/etc/passwd"),
            Dataset(hash=bytes(33), userKey=DER, filename="twin"),
            Dataset(hash=bytes(32), userKey=DER, filename="twin"),
        ],
        result_consumers=[ResultConsumer()],
    )
    with pytest.raises(InvalidInput) as caught:
        read_manifest(request)
    assert [finding.path for finding in caught.value.findings] == [
        "algorithm",
        "datasets",
        "datasets[0].filename",
        "datasets[0].hash",
        "datasets[0].userKey",
        "datasets[1].hash",
        "result_consumers[0].userKey",
    ]


@given(st.text())
def test_an_accepted_name_is_a_file_in_the_folder(name: str) -> None:
    if problem_of_file_name(name) is None:
        assert "/" not in name
        assert "\0" not in name
        assert name not in ("", ".", "..")
