"""PCR 16 of a manifest, against the arithmetic of a TPM done by hand."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import PolicyDocument
from prism_iac.attestation.tpm import expect_manifest, predict_manifest_register
from prism_iac.errors import InvalidInput
from prism_iac.model import Manifest, ManifestAlgorithm


def manifest(name: str = "sum") -> Manifest:
    return Manifest(
        id="1",
        name=name,
        description="<d>",
        algorithm=ManifestAlgorithm(hash=bytes(range(32)), user_key=b"k"),
    )


@pytest.mark.fault(59)
def test_each_bank_is_extended_once_from_zero_with_the_sha3_of_the_agents_json() -> None:
    numbers = list(range(32))
    agents_json = json.dumps(
        {
            "id": "1",
            "name": "sum",
            "description": "\\u003cd\\u003e",
            "algorithm": {"hash": numbers, "user_key": "aw=="},
        },
        separators=(",", ":"),
    ).replace("\\\\u", "\\u")
    assert predict_manifest_register(manifest()) == {
        "sha256": hashlib.sha256(bytes(32) + hashlib.sha3_256(agents_json.encode()).digest()).digest(),
        "sha384": hashlib.sha384(bytes(48) + hashlib.sha3_384(agents_json.encode()).digest()).digest(),
    }


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_two_manifests_have_one_register_only_where_they_are_the_same(one: str, other: str) -> None:
    same = predict_manifest_register(manifest(one)) == predict_manifest_register(manifest(other))
    assert same is (one == other)


def test_a_policy_expects_the_register_besides_its_others() -> None:
    text = (
        '{"policy": {"vmpl": 2}, "pcr_values": {"sha256": {"0": "' + "ab" * 32 + '"}, "sha1": null}, "x": 1}'
    )
    edited = expect_manifest(PolicyDocument.parse(text.encode()), manifest())
    values = edited.values()
    assert values["x"] == 1
    assert values["policy"] == {"vmpl": 2}
    assert values["pcr_values"]["sha256"]["0"] == "ab" * 32
    expected = edited.snp_policy().pcr_values
    predicted = predict_manifest_register(manifest())
    assert expected.sha256[16].hex() == predicted["sha256"].hex()
    assert expected.sha384[16].hex() == predicted["sha384"].hex()


def test_a_policy_for_tdx_has_no_such_register() -> None:
    policy = PolicyDocument.from_values({"policy": {"td_quote_body_policy": {}}})
    with pytest.raises(InvalidInput, match="policy for TDX"):
        expect_manifest(policy, manifest())
