from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import Evidence, PolicyDocument, Product, SnpPolicy, Tcb, policy_from_evidence
from prism_iac.errors import InvalidInput

# The example of prism-rest.md section 3.10, in its own order and with its own white space.
SAMPLE = b"""{"pcr_values": {"sha1": null, "sha256": {"0":
   "9f2c000000000000000000000000000000000000000000000000000000000001"}, "sha384": null},
 "policy": {"familyId": "AAAAAAAAAAAAAAAAAAAAAA==", "imageId": "AAAAAAAAAAAAAAAAAAAAAA==",
            "hostData": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "measurement": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8w",
            "minimumBuild": 12, "minimumTcb": "1", "minimumLaunchTcb": "1", "minimumVersion": "1.51",
            "permitProvisionalFirmware": true, "policy": "196608", "product": {"name": "SEV_PRODUCT_MILAN"},
            "reportIdMa": "//////////////////////////////////////////8=", "vmpl": 2},
 "rootOfTrust": {"checkCrl": true, "product": "Milan", "productLine": "Milan"}}
"""

# The other writer's spelling (attestation.md section 5.1): snake case, numbers as numbers.
RUST_TOOL = {
    "policy": {
        "policy": 196608,
        "family_id": "AAAAAAAAAAAAAAAAAAAAAA==",
        "vmpl": 2,
        "minimum_tcb": 15352208179752599555,
        "require_author_key": False,
        "host_data": base64.b64encode(bytes(32)).decode(),
        "minimum_version": "1.55",
        "product": {"name": 1},
    },
    "root_of_trust": {"product_line": "Milan", "check_crl": True, "disallow_network": False},
    "pcr_values": {"sha256": {"9": "ab" * 32}},
}


def test_a_file_keeps_its_bytes() -> None:
    assert PolicyDocument.parse(SAMPLE).to_bytes() == SAMPLE


def test_the_documented_sample_is_read() -> None:
    policy = PolicyDocument.parse(SAMPLE).snp_policy()
    expected = policy.policy
    assert expected.measurement == bytes(range(1, 49))
    assert expected.host_data == bytes(32)
    assert (expected.policy, expected.vmpl, expected.minimum_build) == (0x30000, 2, 12)
    assert expected.minimum_version == (1, 51)
    assert expected.minimum_tcb == expected.minimum_launch_tcb == Tcb.from_int(1)
    assert expected.permit_provisional_firmware
    assert expected.report_id_ma == b"\xff" * 32
    assert expected.chip_id is None
    assert policy.product is Product.MILAN
    assert policy.root_of_trust.check_crl
    assert policy.pcr_values.sha256[0].hex().startswith("9f2c")
    assert not list(policy.unknown())


def test_the_other_spelling_is_read_as_well() -> None:
    policy = SnpPolicy.read(RUST_TOOL)
    assert policy.policy.minimum_tcb == Tcb.from_int(0xD50E000000000003)
    assert policy.policy.policy == 0x30000
    assert policy.product is Product.MILAN
    assert policy.pcr_values.sha256 == {9: b"\xab" * 32}
    assert not list(policy.unknown())


def test_an_edit_changes_one_field_and_keeps_order_and_unknown_fields() -> None:
    source = (
        b'{"later": {"x": [1, 2.5, null]}, "policy": {"vmpl": 2, "measurement": "", "novel": "\xc3\xa9"}}'
    )
    edited = PolicyDocument.parse(source).with_measurement(bytes(range(48)))
    before, after = json.loads(source), json.loads(edited.to_bytes())
    assert list(after) == list(before)
    assert list(after["policy"]) == list(before["policy"])
    assert after["policy"].pop("measurement") == base64.b64encode(bytes(range(48))).decode()
    before["policy"].pop("measurement")
    assert after == before
    assert edited.snp_policy().policy.measurement == bytes(range(48))


def test_an_edit_keeps_the_files_spelling() -> None:
    snake = PolicyDocument.from_values(RUST_TOOL).with_host_data(b"h" * 32)
    assert "hostData" not in snake.values()["policy"]
    assert snake.snp_policy().policy.host_data == b"h" * 32
    assert "hostData" in PolicyDocument.parse(b"{}").with_host_data(b"h" * 32).values()["policy"]


def test_an_edit_of_the_wrong_length_is_refused() -> None:
    document = PolicyDocument.parse(SAMPLE)
    with pytest.raises(InvalidInput, match="48 bytes, not 32"):
        document.with_measurement(bytes(32))
    with pytest.raises(InvalidInput, match="32 bytes, not 48"):
        document.with_host_data(bytes(48))
    with pytest.raises(InvalidInput, match="not an object"):
        PolicyDocument.parse(b'{"policy": 1}').with_host_data(bytes(32))


def test_what_a_caller_does_with_the_values_does_not_change_the_document() -> None:
    document = PolicyDocument.parse(SAMPLE)
    document.values()["policy"]["vmpl"] = 0
    assert document.snp_policy().policy.vmpl == 2


def test_documents_are_equal_when_their_bytes_are() -> None:
    assert PolicyDocument.parse(SAMPLE) == PolicyDocument.parse(SAMPLE)
    assert PolicyDocument.parse(SAMPLE) != PolicyDocument.parse(SAMPLE + b" ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b"\xff\xfe",
        b'{"policy": NaN}',
        b'{"policy": 1e999}',
        b'{"policy": {"vmpl": 1, "vmpl": 2}}',
        b'{"text": "\\ud800"}',
        b'{"a":' * 100_000,
        b"\xd9\x01\xf5\xa2\x00",  # a CoRIM file
    ],
)
def test_what_is_no_json_policy_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        PolicyDocument.parse(data)


@given(st.binary())
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    try:
        document = PolicyDocument.parse(data)
    except InvalidInput:
        return
    assert document.to_bytes() == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
FIELD = st.sampled_from(
    ["policy", "measurement", "hostData", "vmpl", "minimumTcb", "product", "minimumVersion"]
)


@given(
    st.dictionaries(
        st.sampled_from(["policy", "rootOfTrust", "pcr_values"]), JSON | st.dictionaries(FIELD, JSON)
    )
)
def test_no_values_make_the_typed_reading_fail_otherwise(values: dict[str, Any]) -> None:
    try:
        SnpPolicy.read(values)
    except InvalidInput as refusal:
        assert refusal.findings  # noqa: PT017  # either outcome is fine


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("policy", "measurement", "AQID"),
        ("policy", "measurement", "not base64!"),
        ("policy", "measurement", 5),
        ("policy", "hostData", base64.b64encode(bytes(31)).decode()),
        ("policy", "chipId", base64.b64encode(bytes(48)).decode()),
        ("policy", "policy", -1),
        ("policy", "policy", "0x30000"),
        ("policy", "policy", 1 << 64),
        ("policy", "policy", True),
        ("policy", "policy", 1.5),
        ("policy", "vmpl", 4),
        ("policy", "minimumBuild", 256),
        ("policy", "minimumVersion", "1"),
        ("policy", "minimumVersion", "1.256"),
        ("policy", "requireIdBlock", "true"),
        ("policy", "product", {"name": "SEV_PRODUCT_MARS"}),
        ("policy", "product", {"name": True}),
        ("policy", "trustedIdKeys", ["AAAA"]),
        ("policy", "trustedIdKeyHashes", ["AAAA"]),
        ("rootOfTrust", "productLine", "Mars"),
        ("rootOfTrust", "checkCrl", 1),
        ("pcr_values", "sha256", {"24": "ab" * 32}),
        ("pcr_values", "sha256", {"0": "ab" * 31}),
        ("pcr_values", "sha256", {"0": 7}),
    ],
)
def test_a_field_of_the_wrong_form_is_named(section: str, field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        SnpPolicy.read({section: {field: value}})
    assert all(finding.path.startswith(f"{section}.{field}") for finding in refusal.value.findings)


def test_every_wrong_field_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        SnpPolicy.read({"policy": {"vmpl": 9, "measurement": "x"}, "rootOfTrust": {"checkCrl": 0}})
    assert len(refusal.value.findings) == 3


def test_a_field_in_both_spellings_is_refused() -> None:
    with pytest.raises(InvalidInput, match="both spellings"):
        SnpPolicy.read({"policy": {"hostData": "", "host_data": ""}})


def test_unknown_fields_are_kept_aside_with_their_paths() -> None:
    policy = SnpPolicy.read({"policy": {"measurment": "x", "product": {"nmae": 1}}, "extra": 1})
    assert sorted(policy.unknown()) == ["extra", "policy.measurment", "policy.product.nmae"]


def test_a_tdx_policy_is_kept_and_not_read() -> None:
    source = b'{"policy": {"tdQuoteBodyPolicy": {"mrTd": "AA=="}}, "rootOfTrust": {"getCollateral": true}}'
    document = PolicyDocument.parse(source)
    assert document.is_tdx
    assert document.to_bytes() == source
    with pytest.raises(InvalidInput, match="for TDX"):
        document.snp_policy()


def test_values_of_the_engine_become_whole_numbers() -> None:
    document = PolicyDocument.from_values({"policy": {"vmpl": 2.0, "policy": 196608.0, "list": (1.0, "x")}})
    assert document.to_bytes() == (
        b'{\n  "policy": {\n    "list": [\n      1,\n      "x"\n    ],\n'
        b'    "policy": 196608,\n    "vmpl": 2\n  }\n}\n'
    )


@pytest.mark.parametrize("number", [0.5, 1.5352208179752599e19, float("nan"), float("inf")])
def test_a_number_that_is_not_exact_is_refused(number: float) -> None:
    with pytest.raises(InvalidInput, match="as text"):
        PolicyDocument.from_values({"policy": {"minimumTcb": number}})


def test_values_that_are_no_json_are_refused() -> None:
    with pytest.raises(InvalidInput, match="as JSON"):
        PolicyDocument.from_values({"policy": object()})


def test_the_policy_of_evidence_pins_every_claim(evidence: Evidence) -> None:
    report = evidence.report
    expected = policy_from_evidence(report).snp_policy().policy
    for field in (
        "measurement",
        "host_data",
        "family_id",
        "image_id",
        "report_id_ma",
        "chip_id",
        "vmpl",
        "policy",
    ):
        assert getattr(expected, field) == getattr(report, field)
    assert expected.minimum_tcb == report.reported_tcb
    assert expected.minimum_launch_tcb == report.launch_tcb
    assert expected.minimum_version == report.current_version
    assert not expected.permit_provisional_firmware


def test_the_policy_of_evidence_is_written_as_the_participants_tool_writes_it(evidence: Evidence) -> None:
    text = policy_from_evidence(evidence.report).to_bytes()
    values = json.loads(text)
    assert text == json.dumps(values, indent=2, sort_keys=True).encode() + b"\n"
    assert list(values) == ["pcr_values", "policy", "rootOfTrust"]
    assert values["pcr_values"] == {"sha1": None, "sha256": None, "sha384": None}
    assert isinstance(values["policy"]["minimumTcb"], str)
