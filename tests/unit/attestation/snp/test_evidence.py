from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import Endorser, Evidence
from prism_iac.errors import InvalidInput


def test_a_report_alone_is_evidence_without_certificates(evidence: Evidence) -> None:
    bare = Evidence.parse(evidence.report.to_bytes())
    assert bare == Evidence(evidence.report)
    assert bare.to_bytes() == evidence.report.to_bytes()


def test_evidence_survives_its_bytes(evidence: Evidence) -> None:
    assert Evidence.parse(evidence.to_bytes()) == evidence


def test_the_certificate_table_stores_guids_in_the_order_of_their_text(evidence: Evidence) -> None:
    table = Evidence(evidence.report, {Endorser.VCEK: b"leaf"}).to_bytes()[1184:]
    assert table[:16].hex() == "63da758de6644564adc5f4b93be8accd"
    assert int.from_bytes(table[16:20], "little") == 48
    assert int.from_bytes(table[20:24], "little") == 4
    assert table[24:48] == bytes(24)
    assert table[48:] == b"leaf"


def test_an_unknown_kind_in_the_table_is_passed_over(evidence: Evidence) -> None:
    extra = uuid.UUID("ecae0c0f-9502-43b1-afa2-0ae2e0d565b6").bytes  # platform information
    entry = extra + (48).to_bytes(4, "little") + (8).to_bytes(4, "little")
    data = evidence.report.to_bytes() + entry + bytes(24) + b"12345678"
    assert Evidence.parse(data).certificates == {}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"x", "has no end"),
        (Endorser.ASK.value.bytes + bytes(8), "has no end"),
        (Endorser.ASK.value.bytes + b"\x30\0\0\0\x05\0\0\0" + bytes(24) + b"1234", "beyond its end"),
        (Endorser.ASK.value.bytes + b"\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(24), "beyond its end"),
    ],
)
def test_a_table_that_is_cut_off_is_refused(evidence: Evidence, table: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Evidence.parse(evidence.report.to_bytes() + table)


@given(st.binary(max_size=300))
def test_no_table_makes_the_reader_fail_otherwise(evidence: Evidence, table: bytes) -> None:
    try:
        Evidence.parse(evidence.report.to_bytes() + table)
    except InvalidInput as refusal:
        assert refusal.findings[0].path == "evidence"  # noqa: PT017  # either outcome is fine


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(InvalidInput, match="1184 bytes, this has 0"):
        Evidence.parse(b"")
