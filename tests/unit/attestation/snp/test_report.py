from __future__ import annotations

import struct
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import Evidence, Product, SnpReport, Tcb
from prism_iac.errors import InvalidInput

# attestation.md section 2.1, row by row: offset, size, field.
LAYOUT = (
    (0x000, 4, "version"),
    (0x004, 4, "guest_svn"),
    (0x008, 8, "policy"),
    (0x010, 16, "family_id"),
    (0x020, 16, "image_id"),
    (0x030, 4, "vmpl"),
    (0x034, 4, "signature_algo"),
    (0x038, 8, "current_tcb"),
    (0x040, 8, "platform_info"),
    (0x048, 4, "signer_info"),
    (0x050, 64, "report_data"),
    (0x090, 48, "measurement"),
    (0x0C0, 32, "host_data"),
    (0x0E0, 48, "id_key_digest"),
    (0x110, 48, "author_key_digest"),
    (0x140, 32, "report_id"),
    (0x160, 32, "report_id_ma"),
    (0x180, 8, "reported_tcb"),
    (0x188, 1, "cpuid_family"),
    (0x189, 1, "cpuid_model"),
    (0x18A, 1, "cpuid_stepping"),
    (0x1A0, 64, "chip_id"),
    (0x1E0, 8, "committed_tcb"),
    (0x1E8, 1, "current_build"),
    (0x1E9, 1, "current_minor"),
    (0x1EA, 1, "current_major"),
    (0x1EC, 1, "committed_build"),
    (0x1ED, 1, "committed_minor"),
    (0x1EE, 1, "committed_major"),
    (0x1F0, 8, "launch_tcb"),
    (0x1F8, 8, "launch_mit_vector"),
    (0x200, 8, "current_mit_vector"),
    (0x2A0, 72, "signature_r"),
    (0x2E8, 72, "signature_s"),
)
RESERVED = ((0x04C, 4), (0x18B, 21), (0x1EB, 1), (0x1EF, 1), (0x208, 152), (0x330, 368))
SMALL = {"version": 5, "vmpl": 3, "policy": 0x3FF0507, "signer_info": 0b00111, "signature_algo": 1}


def _known_answer() -> tuple[bytes, dict[str, object]]:
    """A report in which every field has a value of its own, laid out from the table alone."""
    data = bytearray(1184)
    expected: dict[str, object] = {}
    for number, (offset, size, field) in enumerate(LAYOUT, start=1):
        raw = bytes((number + index) % 256 for index in range(size))
        if field in SMALL:
            raw = SMALL[field].to_bytes(size, "little")
        data[offset : offset + size] = raw
        kind = next(item.type for item in fields(SnpReport) if item.name == field)
        value = {"bytes": raw, "int": int.from_bytes(raw, "little"), "Tcb": Tcb(raw) if size == 8 else None}
        expected[field] = value[str(kind)]
    return bytes(data), expected


def test_every_field_is_read_from_its_place() -> None:
    data, expected = _known_answer()
    report = SnpReport.parse(data)
    assert {name: getattr(report, name) for name in expected} == expected
    assert set(expected) == {field.name for field in fields(SnpReport)}


def test_a_report_is_written_as_it_was_read() -> None:
    data, _ = _known_answer()
    report = SnpReport.parse(data)
    assert report.to_bytes() == data
    assert report.signed_bytes() == data[:0x2A0]


@pytest.mark.fault(55)
@pytest.mark.parametrize(("offset", "size"), RESERVED)
def test_a_reserved_byte_that_is_set_is_refused(offset: int, size: int) -> None:
    data, _ = _known_answer()
    for position in (offset, offset + size - 1):
        damaged = bytearray(data)
        damaged[position] = 1
        with pytest.raises(InvalidInput, match="reserved"):
            SnpReport.parse(bytes(damaged))


@pytest.mark.parametrize(
    ("offset", "form", "value", "named"),
    [
        (0x000, "<I", 1, "report.version"),
        (0x000, "<I", 6, "report.version"),
        (0x008, "<Q", 0, "report.policy"),
        (0x008, "<Q", 0x30000 | 1 << 26, "report.policy"),
        (0x030, "<I", 4, "report.vmpl"),
        (0x048, "<I", 0b01000, "report.signer_info"),
        (0x048, "<I", 1 << 5, "report.signer_info"),
        (0x000, "<I", 2, "report.cpuid_family"),
        (0x000, "<I", 4, "report.launch_mit_vector"),
    ],
)
def test_a_field_out_of_its_range_is_named(offset: int, form: str, value: int, named: str) -> None:
    data = bytearray(_known_answer()[0])
    struct.pack_into(form, data, offset, value)
    with pytest.raises(InvalidInput) as refusal:
        SnpReport.parse(bytes(data))
    assert named in [finding.path for finding in refusal.value.findings]


@pytest.mark.parametrize("size", [0, 1, 1183, 1185, 2368])
def test_another_length_is_refused(size: int) -> None:
    with pytest.raises(InvalidInput, match=f"1184 bytes, this has {size}"):
        SnpReport.parse(bytes(size))


@given(st.binary(min_size=1184, max_size=1184) | st.binary())
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        SnpReport.parse(data)


@given(st.integers(0, 1183), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_kept(position: int, value: int) -> None:
    data = bytearray(_known_answer()[0])
    data[position] = value
    try:
        report = SnpReport.parse(bytes(data))
    except InvalidInput:
        return
    assert report.to_bytes() == data


def test_a_report_cannot_be_made_with_a_field_of_the_wrong_length(evidence: Evidence) -> None:
    with pytest.raises(InvalidInput, match="measurement: has 48 bytes, not 47"):
        replace(evidence.report, measurement=bytes(47))
    with pytest.raises(InvalidInput, match="guest_svn: does not fit into 32 bits"):
        replace(evidence.report, guest_svn=1 << 32)


@pytest.mark.parametrize(
    ("family", "model", "product"),
    [
        (0x19, 0x01, Product.MILAN),
        (0x19, 0x11, Product.GENOA),
        (0x19, 0xA0, Product.GENOA),
        (0x1A, 0x02, Product.TURIN),
        (0x1A, 0x50, Product.VENICE),
        (0x00, 0x00, Product.SIMULATED),
        (0x00, 0x01, Product.SIMULATED_TURIN),
        (0x00, 0x02, None),
        (0x17, 0x31, None),
        (0x1A, 0x20, None),
    ],
)
def test_the_product_follows_from_the_cpuid(
    evidence: Evidence, family: int, model: int, product: Product | None
) -> None:
    assert replace(evidence.report, cpuid_family=family, cpuid_model=model).product is product


def test_a_report_of_version_2_tells_no_product(evidence: Evidence) -> None:
    assert replace(evidence.report, version=2).product is None
