from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset, computation_id_of, mark_of

DATA = bytes(range(32))
CODE = bytes(range(32, 64))
NUMBERS = ",".join(str(number) for number in range(32))
CODE_NUMBERS = ",".join(str(number) for number in range(32, 64))


def test_canonical_bytes_are_compact_json_in_the_order_of_the_agent() -> None:
    manifest = Manifest(
        id="7b1f",
        name="iris & <petals>",
        description="größer \u2028 \U0001f33a",
        algorithm=ManifestAlgorithm(hash=CODE, user_key=b"\x00\xff"),
        datasets=(
            ManifestDataset(hash=DATA, user_key=b"key", filename="iris.csv"),
            ManifestDataset(hash=DATA, user_key=b""),
        ),
        result_consumers=(b"one", b""),
    )
    assert manifest.canonical_bytes().decode() == (
        '{"id":"7b1f","name":"iris \\u0026 \\u003cpetals\\u003e","description":"größer \\u2028 \U0001f33a",'
        f'"datasets":[{{"hash":[{NUMBERS}],"user_key":"a2V5","filename":"iris.csv"}},{{"hash":[{NUMBERS}]}}],'
        f'"algorithm":{{"hash":[{CODE_NUMBERS}],"user_key":"AP8="}},'
        '"result_consumers":[{"user_key":"b25l"},{}]}'
    )


def test_empty_fields_are_left_out_but_hashes_are_not() -> None:
    manifest = Manifest(id="", name="", description="", algorithm=ManifestAlgorithm(bytes(32), b""))
    zeros = ",".join(["0"] * 32)
    assert manifest.canonical_bytes().decode() == f'{{"algorithm":{{"hash":[{zeros}]}}}}'


def test_the_digest_is_the_sha3_256_of_the_canonical_bytes() -> None:
    manifest = Manifest(id="1", name="n", description="d", algorithm=ManifestAlgorithm(CODE, b"k"))
    assert manifest.digest() == hashlib.sha3_256(manifest.canonical_bytes()).digest()


KEYS = st.binary(max_size=4)
HASHES = st.binary(min_size=32, max_size=32)
MANIFESTS = st.builds(
    Manifest,
    id=st.text(max_size=5),
    name=st.text(max_size=5),
    description=st.text(max_size=5),
    algorithm=st.builds(ManifestAlgorithm, hash=HASHES, user_key=KEYS),
    datasets=st.lists(
        st.builds(ManifestDataset, hash=HASHES, user_key=KEYS, filename=st.text(max_size=5)), max_size=3
    ).map(tuple),
    result_consumers=st.lists(KEYS, max_size=3).map(tuple),
)


@given(MANIFESTS)
def test_a_manifest_survives_its_json(manifest: Manifest) -> None:
    assert Manifest.from_json(json.loads(manifest.canonical_bytes())) == manifest


def test_unknown_keys_of_a_manifest_are_dropped() -> None:
    document = {
        "id": "1",
        "kbs": {"url": ""},
        "algorithm": {"hash": list(CODE), "user_key": base64.b64encode(b"k").decode(), "algo_type": "bin"},
        "datasets": None,
    }
    manifest = Manifest.from_json(document)
    assert manifest == Manifest("1", "", "", ManifestAlgorithm(CODE, b"k"))


@pytest.mark.parametrize("document", [{}, {"algorithm": {}}])
def test_a_manifest_without_its_algorithm_is_no_manifest(document: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="no runtime manifest"):
        Manifest.from_json(document)


def test_a_length_is_no_hash_of_a_manifest() -> None:
    with pytest.raises(InvalidInput, match="no runtime manifest"):
        Manifest.parse('{"algorithm": {"hash": 1000000000000}}')


@given(MANIFESTS, st.randoms(use_true_random=False))
def test_the_order_of_linking_does_not_show_in_order(manifest: Manifest, random: Random) -> None:
    datasets, consumers = list(manifest.datasets), list(manifest.result_consumers)
    random.shuffle(datasets)
    random.shuffle(consumers)
    shuffled = replace(manifest, datasets=tuple(datasets), result_consumers=tuple(consumers))
    assert shuffled.in_order() == manifest.in_order()


@given(MANIFESTS)
def test_two_deployments_of_one_definition_have_one_portable_manifest(manifest: Manifest) -> None:
    portable = replace(manifest, description=manifest.description.strip()).portable()
    deployments = [portable.deployed(f"9c41d2e7f0a3.{number}", workspace_alias="lab") for number in (0, 1)]
    assert deployments[0].digest() != deployments[1].digest()
    assert {deployed.portable() for deployed in deployments} == {portable}
    assert portable.portable() == portable
    assert deployments[0].id == computation_id_of("lab", mark_of("9c41d2e7f0a3.0"))
