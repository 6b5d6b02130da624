from __future__ import annotations

import base64
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import PolicyDocument
from prism_iac.attestation._cbor import Tagged, decode_cbor, encode_cbor
from prism_iac.attestation.policy import CorimNames, PolicyFile, PolicyForm, canonical_policy
from prism_iac.errors import InvalidInput
from tests.unit.attestation.policy.keys import SAMPLES, made, sample
from tests.unit.attestation.policy.policies import as_document, snp_values, tdx_values

MEASUREMENT = bytes.fromhex(
    "b07af9620f3b839b47996422ddec6058338951d984e312115131ea82705eaf5b6bdf8a9ece31a5a608eb0cf2e4872b01"
)
FORMS_OF_SNP = [PolicyForm.CORIM, PolicyForm.CORIM_AMD]


def test_the_documented_vector_is_read_and_written_to_the_byte() -> None:
    file = sample("example.corim")
    expected = file.document.snp_policy().policy
    assert (expected.measurement, expected.minimum_guest_svn) == (MEASUREMENT, 3)
    assert file.document.values()["policy"]["product"] == {"name": "SEV_PRODUCT_MILAN"}
    names = CorimNames(
        "snp-corim-example",
        "snp-tag-example",
        UUID("00000000-0000-4000-8000-000000000001"),
        UUID("00000000-0000-4000-8000-000000000002"),
    )
    assert (file.form, file.names) == (PolicyForm.CORIM, names)
    again = PolicyFile.make(file.document, PolicyForm.CORIM, names=names)
    assert again.to_bytes() == file.to_bytes() == (SAMPLES / "example.corim").read_bytes()


@pytest.mark.parametrize("name", made())
def test_the_samples_that_were_checked_elsewhere_are_those_that_are_made(name: str) -> None:
    assert made()[name] == (SAMPLES / name).read_bytes()


@pytest.mark.fault(57)
@pytest.mark.parametrize("form", FORMS_OF_SNP)
@given(values=snp_values())
def test_json_and_corim_of_one_policy_for_snp_agree(form: PolicyForm, values: dict[str, Any]) -> None:
    _agree(as_document(values), form)


@pytest.mark.fault(57)
@given(values=tdx_values())
def test_json_and_corim_of_one_policy_for_tdx_agree(values: dict[str, Any]) -> None:
    _agree(as_document(values), PolicyForm.CORIM)


def _agree(document: PolicyDocument, form: PolicyForm) -> None:
    canonical = canonical_policy(document)
    try:
        file = PolicyFile.make(document, form)
    except InvalidInput as refusal:
        assert "expects nothing" in str(refusal)  # noqa: PT017  # what a policy without any field ends in
        return
    assert file.form is form
    assert file.document == canonical
    assert file.converted(PolicyForm.JSON).to_bytes() == canonical.to_bytes()
    assert PolicyFile.make(file.document, form, names=file.names).to_bytes() == file.to_bytes()
    assert PolicyFile.make(canonical, form).to_bytes() == file.to_bytes()


@given(st.binary(max_size=200) | st.binary(max_size=50).map(b"\xd2\x84".__add__))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    try:
        file = PolicyFile.parse(data)
    except InvalidInput:
        return
    assert file.to_bytes() == data


@pytest.mark.parametrize("name", ["example.corim", "host-tool.amd.corim", "tdx.corim", "host-tool.es256"])
@given(data=st.data())
def test_no_damage_makes_the_reader_fail_otherwise(name: str, data: st.DataObject) -> None:
    damaged = bytearray((SAMPLES / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for candidate in (bytes(damaged), bytes(damaged[:cut])):
        try:
            file = PolicyFile.parse(candidate)
        except InvalidInput:
            continue
        assert file.to_bytes() == candidate


CBOR = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=50)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers(-3, 20) | st.text(max_size=2), inner, max_size=3)
        | st.builds(Tagged, st.sampled_from([1, 18, 32, 37, 111, 501, 506, 552, 553, 560]), inner)
    ),
    max_leaves=8,
)


@given(st.data())
def test_no_item_in_the_place_of_another_makes_the_reader_fail_otherwise(data: st.DataObject) -> None:
    comid = _comid()
    places: list[tuple[Any, Any]] = []
    _collect(comid, places)
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(CBOR)
    prefix = data.draw(st.sampled_from(["snp", "tdx"]))
    try:
        PolicyFile.parse(_file(comid, corim_id=f"{prefix}-corim-x"))
    except InvalidInput as refusal:
        assert refusal.findings  # noqa: PT017  # either outcome is fine


def _collect(item: Any, places: list[tuple[Any, Any]]) -> None:
    entries = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    for key, inner in entries:
        places.append((item, key))
        _collect(inner, places)


def _uuid(value: UUID | None = None) -> Tagged:
    return Tagged(37, (value or uuid4()).bytes)


def _digest(measurement: bytes = MEASUREMENT, algorithm: int = 7) -> dict[int, Any]:
    return {2: [[algorithm, measurement]]}


def _comid(*elements: dict[int, Any], environment: dict[int, Any] | None = None) -> dict[int, Any]:
    wanted = [dict(element) for element in elements] or [{0: _uuid(), 1: _digest()}]
    return {1: {0: "tag"}, 4: {0: [[environment or {0: {0: _uuid()}}, wanted]]}}


def _file(comid: dict[int, Any], *, corim_id: str = "snp-corim-x", **extra: Any) -> bytes:
    tag = encode_cbor(Tagged(506, comid))
    return encode_cbor({0: corim_id, 1: [tag], **{int(key[1:]): value for key, value in extra.items()}})


def test_a_file_with_the_tag_of_unsigned_corim_is_read() -> None:
    bare = (SAMPLES / "example.corim").read_bytes()
    tagged = encode_cbor(Tagged(501, decode_cbor(bare)))
    assert PolicyFile.parse(tagged).document == PolicyFile.parse(bare).document


def test_the_empty_files_of_the_participants_tool_are_refused_with_their_cause() -> None:
    empty = bytes.fromhex("a200782e") + b"snp-corim-00000000-0000-4000-8000-000000000000" + b"\x01\xf6"
    with pytest.raises(InvalidInput, match="drop measurements of 48 bytes"):
        PolicyFile.parse(empty)


@pytest.mark.parametrize(
    ("algorithm", "size"), [(1, 32), (1, 48), (7, 32), (8, 64)], ids=["sha-256", "wrong", "short", "sha-512"]
)
def test_a_digest_that_is_no_launch_measurement_is_refused(algorithm: int, size: int) -> None:
    with pytest.raises(InvalidInput, match=f"{size} bytes under algorithm {algorithm}"):
        PolicyFile.parse(_file(_comid({0: _uuid(), 1: _digest(bytes(size), algorithm)})))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_file(_comid(), corim_id="mars-corim-x"), "does not say what it is about"),
        (_file(_comid(), x4={0: Tagged(1, 5)}), "part that is not known here: 4"),
        (_file(_comid(), x3=[Tagged(32, "tag:other")]), "profile that is not known"),
        (_file(_comid() | {2: []}), "part that is not known here: 2"),
        (_file({1: {0: "tag"}, 4: {0: [], 1: []}}), "part that is not known here: 1"),
        (_file({1: {0: "tag"}, 4: {0: []}}), "0 parts where one"),
        (_file(_comid({0: _uuid(), 1: _digest()}, {0: _uuid(), 1: _digest()})), "several launch measurements"),
        (_file(_comid({0: _uuid(), 1: {2: [[7, MEASUREMENT], [7, bytes(48)]]}})), "does not have one digest"),
        (_file(_comid({0: _uuid(), 1: _digest() | {4: b""}})), "other values than 2"),
        (_file(_comid({0: _uuid(), 1: _digest(), 2: []})), "part that is not known here: 2"),
        (_file(_comid({0: 99, 1: _digest()})), "not known here, 99"),
        (_file(_comid({0: 641, 1: _digest()}, {0: _uuid(), 1: _digest()})), "measurement stands in the CoRIM twice"),
        (_file(_comid({0: 1, 1: {1: Tagged(552, 3)}})), "only the least"),
        (_file(_comid({0: 642, 1: {4: Tagged(560, bytes(31))}})), "32 bytes, not 31"),
        (_file(_comid({0: 2, 1: {4: Tagged(560, bytes(8)), 5: bytes(8)}})), "other values than 4"),
        (_file(_comid(environment={0: {0: _uuid()}, 1: _uuid()})), "no product that is known"),
        (_file(_comid(environment={0: {0: Tagged(111, b"other")}})), "chip's own key"),
        (_file(_comid(environment={0: {0: _uuid(), 1: "AMD"}})), "part that is not known here: 1"),
        (_file(_comid(), corim_id="tdx-corim-x") + b"\x00", "no CoRIM"),
        (_file(_comid({0: _uuid(), 1: _digest() | {1: Tagged(552, 1)}}), corim_id="tdx-x"), "no version"),
        (_file(_comid(*({0: _uuid(), 1: _digest()} for _ in range(3))), corim_id="tdx-x"), "which register"),
    ],
)  # fmt: skip
def test_what_would_be_lost_or_misread_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        PolicyFile.parse(data)


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_the_registers_of_the_participants_tool_are_known_by_their_order(count: int) -> None:
    registers = [bytes([place]) * 48 for place in range(1, 1 + count)]
    data = _file(_comid(*({0: _uuid(), 1: _digest(value)} for value in registers)), corim_id="tdx-corim-x")
    body = PolicyFile.parse(data).document.tdx_policy().body
    assert body.mr_td == registers.pop(0)
    assert body.mr_seam == (registers.pop(0) if count in (2, 6) else None)
    assert (body.rtmrs or ()) == tuple(registers)


@pytest.mark.parametrize("prefix", ["azure", "gcp"])
def test_clouds_of_snp_are_read_as_snp(prefix: str) -> None:
    document = PolicyFile.parse(_file(_comid(), corim_id=f"{prefix}-corim-x")).document
    assert document.snp_policy().policy.measurement == MEASUREMENT


def test_the_chip_of_amds_profile_is_the_instance_too() -> None:
    chip = bytes(range(64))
    file = PolicyFile.make(
        as_document({"policy": {"chipId": base64.b64encode(chip).decode()}}), PolicyForm.CORIM_AMD
    )
    corim = decode_cbor(file.to_bytes())
    environment, elements = decode_cbor(corim[1][0]).value[4][0][0]
    assert environment == {0: {0: Tagged(111, bytes.fromhex("06092b060104019c780301"))}, 1: Tagged(560, chip)}
    assert corim[3] == [Tagged(32, "tag:amd.com,2025:snp-corim-profile")]
    assert elements == [{0: 3328, 1: {4: Tagged(560, chip)}}]
    other = {0: environment[0], 1: Tagged(560, bytes(64))}
    with pytest.raises(InvalidInput, match="two chips"):
        PolicyFile.parse(_file(_comid(*elements, environment=other)))


def test_a_policy_for_tdx_has_no_form_in_amds_profile() -> None:
    with pytest.raises(InvalidInput, match="for SEV-SNP"):
        sample("tdx.json").converted(PolicyForm.CORIM_AMD)


def test_an_edit_keeps_form_and_names() -> None:
    file = sample("example.corim")
    edited = file.with_document(file.document.with_measurement(bytes(48)).with_host_data(b"h" * 32))
    assert (edited.form, edited.names) == (file.form, file.names)
    expected = edited.document.snp_policy().policy
    assert (expected.measurement, expected.host_data) == (bytes(48), b"h" * 32)


def test_unknown_fields_travel_and_are_reported() -> None:
    document = as_document({"policy": {"measurment": 1.5, "vmpl": 0}, "later": {"x": [None]}})
    for form in FORMS_OF_SNP:
        back = PolicyFile.make(document, form).converted(PolicyForm.JSON).document
        assert back.values()["policy"]["measurment"] == 1.5
        assert back.values()["later"] == {"x": [None]}
        assert sorted(back.snp_policy().unknown()) == ["later", "policy.measurment"]


def test_memory_and_depth_are_bounded_by_the_bytes() -> None:
    for bomb in (
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 100_000,
        b"\xd9\x01\xf5" * 50_000,
        b"\xa1\x00\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ):
        with pytest.raises(InvalidInput):
            PolicyFile.parse(bomb)
