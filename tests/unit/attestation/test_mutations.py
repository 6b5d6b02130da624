"""What an attacker may do to evidence: any bit flipped, any bytes instead, more than there should be."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prism_iac.attestation import (
    Collateral,
    Evidence,
    EvidenceRefused,
    SnpReport,
    TdxQuote,
    Token,
    TpmEvidence,
    VmEvidence,
)
from prism_iac.attestation._revocation import parse_crl
from prism_iac.attestation.snp._message import evidence_of_message
from prism_iac.attestation.tdx._documents import parse_document
from prism_iac.attestation.tpm._quotes import key_of_area
from prism_iac.attestation.tpm._structures import AttestedQuote, PublicArea, Signature
from prism_iac.errors import InvalidInput
from prism_iac.testing import EvidenceLab
from tests.unit.attestation.lab import Subject, in_token, snp, snp_vtpm, tdx, vtpm

REPORT_BYTES = 0x4A0
SIGNED_QUOTE_BYTES = 0x4C4 + 32
"""Header, body, signatures, keys and the authentication data; behind it stand the certificates."""


@pytest.fixture(scope="module")
def report(lab: EvidenceLab) -> Subject:
    return snp(lab)


@pytest.fixture(scope="module")
def quote(lab: EvidenceLab) -> Subject:
    return tdx(lab)


@pytest.fixture(scope="module")
def subjects(lab: EvidenceLab) -> tuple[Subject, ...]:
    plain = (snp(lab), tdx(lab), snp_vtpm(lab), vtpm(lab))
    return (*plain, *map(in_token, plain))


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _is_refused(subject: Subject, data: bytes) -> bool:
    try:
        subject.verify(data)
    except (InvalidInput, EvidenceRefused):
        return True
    return False


@pytest.mark.parametrize("part", range(8))
def test_a_report_with_any_byte_changed_is_refused(report: Subject, part: int) -> None:
    for place in range(part, REPORT_BYTES, 8):
        assert _is_refused(report, _flipped(report.data, 8 * place + place % 8)), f"byte {place:#x}"


@given(bit=st.integers(0, 8 * REPORT_BYTES - 1))
def test_a_report_with_any_bit_flipped_is_refused(report: Subject, bit: int) -> None:
    assert _is_refused(report, _flipped(report.data, bit))


@pytest.mark.parametrize("part", range(8))
def test_a_quote_with_any_byte_changed_is_refused(quote: Subject, part: int) -> None:
    for place in range(part, SIGNED_QUOTE_BYTES, 8):
        assert _is_refused(quote, _flipped(quote.data, 8 * place + place % 8)), f"byte {place:#x}"


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (snp_vtpm, "attested"),
        (snp_vtpm, "signature"),
        (snp_vtpm, "ak_public"),
        (vtpm, "attested"),
        (vtpm, "signature"),
        (vtpm, "ak_certificate"),
    ],
)
def test_a_tpm_quote_with_any_byte_changed_is_refused(
    lab: EvidenceLab, make: Callable[[EvidenceLab], Subject], part: str
) -> None:
    subject = make(lab)
    evidence = TpmEvidence.parse(subject.data)
    quote = evidence.quotes[0]
    octets: bytes = getattr(evidence if part.startswith("ak") else quote, part)
    for place in range(len(octets)):
        changed: Any = {part: _flipped(octets, 8 * place + place % 8)}
        if part.startswith("ak"):
            forged = replace(evidence, **changed)
        else:
            forged = replace(evidence, quotes=(replace(quote, **changed), *evidence.quotes[1:]))
        assert _is_refused(subject, forged.to_bytes()), f"byte {place:#x}"


@settings(max_examples=300)
@given(
    kind=st.integers(0, 7),
    place=st.integers(0, (1 << 16) - 1),
    way=st.integers(0, 3),
    inserted=st.binary(min_size=1, max_size=8),
    bit=st.integers(0, 7),
)
def test_evidence_of_any_kind_that_was_damaged_is_refused_or_unchanged(
    subjects: tuple[Subject, ...], *, kind: int, place: int, way: int, inserted: bytes, bit: int
) -> None:
    subject = subjects[kind]
    whole = subject.data
    place %= len(whole)
    damaged = (
        whole[:place],
        whole[:place] + whole[place + 1 :],
        whole[:place] + inserted + whole[place:],
        _flipped(whole, 8 * place + bit),
    )[way]
    if not _is_refused(subject, damaged):
        # What nobody relies on may change: the root that came along, a token's own claims, PEM's spaces.
        assert _proven(VmEvidence.parse(damaged)) == _proven(VmEvidence.parse(whole))


def _proven(evidence: VmEvidence) -> tuple[object, ...]:
    """What a verifier has looked at."""
    quotes = (
        tuple(
            (quote.attested, quote.bank, tuple(sorted(quote.pcrs.items()))) for quote in evidence.tpm.quotes
        )
        if evidence.tpm
        else ()
    )
    return (
        evidence.snp.report if evidence.snp else None,
        (evidence.tdx.signed_bytes(), evidence.tdx.qe_report) if evidence.tdx else None,
        # What kind of key it is, nobody signs where a TPM stands alone: its certificate's issuer vouches for that.
        key_of_area(PublicArea.parse(evidence.tpm.ak_public)) if evidence.tpm else None,
        quotes,
    )


PARSERS: tuple[Callable[[bytes], object], ...] = (
    VmEvidence.parse,
    Evidence.parse,
    SnpReport.parse,
    evidence_of_message,
    TdxQuote.parse,
    TpmEvidence.parse,
    AttestedQuote.parse,
    PublicArea.parse,
    Signature.parse,
    Token.parse,
    Collateral.parse,
    parse_crl,
    parse_document,
)


def _samples(lab: EvidenceLab) -> tuple[bytes, ...]:
    tpm = lab.tpm.attest(b"n" * 32)
    crl: x509.CertificateRevocationList = lab.snp.authority.revoke((lab.snp.authority.ask,), now=lab.now)
    info = lab.tdx.collateral().tcb_infos[0]
    return (
        snp(lab).data,
        snp(lab).data[:REPORT_BYTES],
        tdx(lab).data,
        snp_vtpm(lab).data,
        in_token(snp(lab)).data,
        tpm.to_bytes(),
        tpm.quotes[0].attested,
        tpm.quotes[0].signature,
        tpm.ak_public,
        crl.public_bytes(Encoding.DER),
        b'{"tcbInfo":' + info.raw + b',"signature":"' + info.signature.hex().encode() + b'"}',
    )


@pytest.fixture(scope="module")
def samples(lab: EvidenceLab) -> tuple[bytes, ...]:
    return _samples(lab)


@settings(max_examples=200)
@given(data=st.binary(max_size=2000))
@example(data=b"\x40\x00")  # the field of a message, as a number
def test_no_bytes_make_a_parser_fail_otherwise(data: bytes) -> None:
    _parse_with_all(data)


@settings(max_examples=200)
@given(data=st.data())
def test_no_damage_makes_a_parser_fail_otherwise(samples: tuple[bytes, ...], data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(samples))
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=2)))
    middle = data.draw(st.binary(max_size=12))
    _parse_with_all(whole[: places[0]] + middle + whole[places[1] :])
    _parse_with_all(whole[: places[0]] + middle + whole[places[0] + len(middle) :])


def _parse_with_all(data: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(data)
        except InvalidInput:
            continue


@pytest.mark.parametrize("number", range(11))
def test_memory_grows_no_faster_than_the_bytes(samples: tuple[bytes, ...], number: int) -> None:
    tail = 1 << 20
    for hostile in (samples[number] + bytes(tail), samples[number] + samples[number][-24:] * (tail // 24)):
        for parse in PARSERS:
            tracemalloc.start()
            try:
                _ = parse(hostile)
            except InvalidInput:
                pass
            finally:
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
            assert peak < 20 * len(hostile), parse
