"""Evidence in every form, held against policies that it meets, and against those that it does not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.attestation import (
    Collateral,
    Endorser,
    Evidence,
    EvidenceRefused,
    Nonce,
    Outcome,
    Platform,
    PolicyDocument,
    Product,
    SnpResult,
    Tcb,
    TdxQuote,
    TdxResult,
    Token,
    TpmEvidence,
    VmEvidence,
    policy_from_evidence,
    verify_evidence,
)
from prism_iac.attestation._cbor import decode_cbor, encode_cbor
from prism_iac.attestation.snp._endorsement import Endorsement
from prism_iac.attestation.snp._message import attestation_message, evidence_of_message, message_of_evidence
from prism_iac.attestation.tdx._documents import TcbStatus
from prism_iac.attestation.tpm._structures import AK_ATTRIBUTES, HashAlgorithm
from prism_iac.errors import InvalidInput
from prism_iac.testing import EvidenceLab, SnpLab
from tests.unit.attestation.conftest import NOW
from tests.unit.attestation.lab import NONCE, Subject, b64, in_token, snp, snp_vtpm, tdx, vtpm

Maker = Callable[[EvidenceLab], Subject]
MAKERS = (snp, tdx, snp_vtpm, vtpm)
BODY = "policy.tdQuoteBodyPolicy"


@pytest.mark.parametrize("make", MAKERS)
def test_evidence_of_every_kind_meets_its_policy_bare_and_in_a_token(lab: EvidenceLab, make: Maker) -> None:
    for subject in (make(lab), in_token(make(lab))):
        result = subject.verify()
        assert result.is_simulated
        assert {check.outcome for check in result.checks} <= {Outcome.PASS, Outcome.NOT_ASKED}


def test_the_result_carries_what_was_verified(lab: EvidenceLab) -> None:
    report, quote = snp(lab), tdx(lab)
    assert isinstance(report.verify(), SnpResult)
    assert report.verify().report == Evidence.parse(report.data).report
    assert isinstance(quote.verify(), TdxResult)
    assert quote.verify().quote == TdxQuote.parse(quote.data)


@pytest.mark.fault(58)
@pytest.mark.parametrize("make", MAKERS)
def test_replayed_evidence_is_refused(lab: EvidenceLab, make: Maker) -> None:
    failed = make(lab).failed(nonce=Nonce.of(b"another nonce"))
    assert any(claim == "report data" or claim.endswith(": nonce") for claim in failed)


@pytest.mark.parametrize("make", MAKERS)
def test_evidence_without_a_nonce_that_anybody_expects_is_an_error(lab: EvidenceLab, make: Maker) -> None:
    with pytest.raises(InvalidInput, match=r"report_data|nonce"):
        make(lab).verify(nonce=None)


@pytest.mark.parametrize("make", MAKERS)
def test_the_pinned_roots_refuse_simulated_evidence(lab: EvidenceLab, make: Maker) -> None:
    subject = make(lab)
    with pytest.raises(EvidenceRefused) as refusal:
        verify_evidence(
            VmEvidence.parse(subject.data), subject.policy, now=NOW, nonce=NONCE, collateral=lab.collateral()
        )
    assert "certificate chain" in [claim.claim for claim in refusal.value.failed]


@pytest.mark.parametrize("make", MAKERS)
def test_no_policy_for_hardware_accepts_simulated_evidence(lab: EvidenceLab, make: Maker) -> None:
    subject = make(lab)
    values = dict(subject.values)
    trust = {key: value for key, value in values["rootOfTrust"].items() if "product" not in key}
    if make in (snp, snp_vtpm):
        trust["productLine"] = "Milan"
        values["policy"] = values["policy"] | {"product": {"name": "SEV_PRODUCT_MILAN"}}
    failed = replace(subject, values=values | {"rootOfTrust": trust}).failed()
    assert "product" in failed or "QE vendor" in failed


@pytest.mark.parametrize("make", MAKERS)
def test_what_a_policy_expects_beyond_what_is_known_is_an_error(lab: EvidenceLab, make: Maker) -> None:
    subject = make(lab).expecting("rootOfTrust", somethingNew=True)
    with pytest.raises(InvalidInput, match="somethingNew"):
        subject.verify()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("years", [-1, 40])
def test_evidence_counts_only_while_its_certificates_are_valid(
    lab: EvidenceLab, make: Maker, years: int
) -> None:
    subject = make(lab)
    with pytest.raises(EvidenceRefused, match="date for the certificate"):
        verify_evidence(
            VmEvidence.parse(subject.data),
            subject.policy,
            now=NOW + timedelta(days=365 * years),
            nonce=NONCE,
            roots=lab.roots,
        )


# SEV-SNP


@pytest.mark.parametrize("product", [Product.SIMULATED, Product.SIMULATED_TURIN])
@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("signer_info", [0, 1 << 2])
def test_every_version_layout_and_kind_of_key_is_verified(
    labs: dict[Product, EvidenceLab], product: Product, version: int, signer_info: int
) -> None:
    subject = snp(labs[product], version=version, signer_info=signer_info)
    assert subject.verify().product is product


def test_version_5_carries_its_mitigation_vectors(lab: EvidenceLab) -> None:
    subject = snp(lab, version=5, launch_mit_vector=3, current_mit_vector=7)
    assert subject.verify().report.current_mit_vector == 7


@pytest.fixture(scope="session")
def stranger() -> EvidenceLab:
    return EvidenceLab.create(now=NOW)


@pytest.fixture(scope="session")
def labs(lab: EvidenceLab) -> dict[Product, EvidenceLab]:
    turin = replace(lab, snp=SnpLab.create(now=NOW, product=Product.SIMULATED_TURIN))
    return {Product.SIMULATED: lab, Product.SIMULATED_TURIN: turin}


@pytest.mark.parametrize(
    ("product", "part", "byte"),
    [
        (Product.SIMULATED, "boot loader", 0),
        (Product.SIMULATED, "TEE", 1),
        (Product.SIMULATED, "SNP", 6),
        (Product.SIMULATED, "microcode", 7),
        (Product.SIMULATED_TURIN, "FMC", 0),
        (Product.SIMULATED_TURIN, "boot loader", 1),
        (Product.SIMULATED_TURIN, "TEE", 2),
        (Product.SIMULATED_TURIN, "SNP", 3),
        (Product.SIMULATED_TURIN, "microcode", 7),
    ],
)
def test_a_tcb_is_compared_part_by_part_in_its_products_layout(
    labs: dict[Product, EvidenceLab], product: Product, part: str, byte: int
) -> None:
    lab = labs[product]
    plain = (
        bytes((5, 5, 0, 0, 0, 0, 5, 5)) if product is Product.SIMULATED else bytes((5, 5, 5, 5, 0, 0, 0, 5))
    )
    # All other parts are larger, so that a comparison of whole numbers would pass.
    wanted = bytes(6 if index == byte else min(value, 4) for index, value in enumerate(plain))
    report = _with_tcb(lab, plain)
    subject = report.expecting("policy", minimumTcb=str(int.from_bytes(wanted, "little")))
    assert subject.failed() == [f"reported TCB, {part}"]


def _with_tcb(lab: EvidenceLab, parts: bytes) -> Subject:
    names = ("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb")
    return snp(lab, **dict.fromkeys(names, Tcb(parts)))


def test_a_vlek_names_a_provider_and_no_chip(lab: EvidenceLab) -> None:
    chip = lab.snp.attest(report_data=NONCE.tee).report
    endorsement = Endorsement(Product.SIMULATED, "", chip.reported_tcb, bytes(64), "provider")
    subject = snp(lab, signer_info=1 << 2, endorsement=endorsement)
    assert subject.failed() == ["certificates' form"]


def test_a_bare_report_is_verified_with_certificates_at_hand(lab: EvidenceLab) -> None:
    subject = snp(lab)
    evidence = Evidence.parse(subject.data)
    bare = evidence.report.to_bytes()
    assert subject.failed(bare) == ["VCEK certificate"]
    at_hand = Collateral()
    for kind in (Endorser.VCEK, Endorser.ASK):
        at_hand = at_hand.with_all_of(Collateral.parse(evidence.certificates[kind]))
    assert subject.verify(bare, collateral=at_hand).is_simulated


def test_a_certificate_of_another_chip_at_hand_is_not_taken(lab: EvidenceLab) -> None:
    subject = snp(lab)
    other = lab.snp.attest(report_data=NONCE.tee).certificates[Endorser.VCEK]
    bare = Evidence.parse(subject.data).report.to_bytes()
    assert subject.failed(bare, collateral=Collateral.parse(other)) == ["VCEK certificate"]


def test_a_root_at_hand_is_no_root(lab: EvidenceLab) -> None:
    subject = snp(lab)
    with pytest.raises(EvidenceRefused, match="certificate chain"):
        verify_evidence(
            VmEvidence.parse(subject.data),
            subject.policy,
            now=NOW,
            nonce=NONCE,
            collateral=Collateral(certificates=(lab.snp.authority.ark, lab.snp.authority.ask)),
        )


def test_a_message_of_go_sev_guest_says_what_the_report_says(lab: EvidenceLab) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"version": 2},
        {"version": 5, "current_mit_vector": 9},
        {"signer_info": 4},
    )
    for fields in changes:
        evidence = lab.snp.attest(**fields)
        assert evidence_of_message(message_of_evidence(evidence)) == evidence
    turin = lab.snp.attest(cpuid_family=0x1A, cpuid_model=0x11, cpuid_stepping=2)
    assert evidence_of_message(message_of_evidence(turin)).report == turin.report


def test_a_message_of_go_tpm_tools_may_hold_a_report_without_a_tpm(lab: EvidenceLab) -> None:
    evidence = lab.snp.attest()
    found = VmEvidence.parse(attestation_message(evidence))
    assert (found.platform, found.snp, found.tpm) == (Platform.SNP, evidence, None)
    with pytest.raises(InvalidInput):
        VmEvidence.parse(attestation_message(evidence)[:-1])


# revocation


@pytest.mark.parametrize("make", [snp, snp_vtpm, vtpm])
def test_a_policy_may_ask_for_revocation_lists(lab: EvidenceLab, make: Maker) -> None:
    subject = make(lab).expecting("rootOfTrust", checkCrl=True)
    assert subject.verify().is_simulated
    assert [claim[:13] for claim in subject.failed(collateral=Collateral())] == ["revocation of"]


@pytest.mark.parametrize(
    ("make", "revoked", "name"),
    [
        (snp, lambda lab: lab.snp.authority.ask, "SEV-SIMULATED"),
        (tdx, lambda lab: lab.tdx.ca.certificate, "SIMULATED SGX PCK Platform CA"),
        (tdx, lambda lab: lab.tdx.pck.certificate, "SIMULATED SGX PCK Certificate"),
        (vtpm, lambda lab: lab.tpm.ak.certificate, "SIMULATED TPM attestation key"),
    ],
)
def test_a_revoked_certificate_is_refused_even_where_no_list_was_asked_for(
    lab: EvidenceLab, make: Maker, revoked: Callable[[EvidenceLab], x509.Certificate], name: str
) -> None:
    subject = make(lab).expecting("rootOfTrust", checkCrl=None)
    assert subject.failed(collateral=lab.collateral(revoked=(revoked(lab),))) == [f'revocation of "{name}"']


def test_a_revocation_list_counts_only_in_its_time_and_from_its_issuer(
    lab: EvidenceLab, stranger: EvidenceLab
) -> None:
    subject = snp(lab).expecting("rootOfTrust", checkCrl=True)
    authority = lab.snp.authority
    for crl in (
        authority.revoke((), now=NOW - timedelta(days=91)),
        authority.revoke((), now=NOW + timedelta(days=1)),
        lab.tpm.root.revoke((), now=NOW),
        stranger.snp.authority.revoke((), now=NOW),
    ):
        assert subject.failed(collateral=Collateral(crls=(crl,))) == ['revocation of "SEV-SIMULATED"']


def test_a_revocation_list_may_come_with_the_evidence(lab: EvidenceLab) -> None:
    subject = snp(lab).expecting("rootOfTrust", checkCrl=True)
    evidence = Evidence.parse(subject.data)
    crl = lab.snp.authority.revoke((), now=NOW).public_bytes(Encoding.DER)
    with_list = replace(evidence, certificates={**evidence.certificates, Endorser.CRL: crl})
    assert subject.verify(with_list.to_bytes(), collateral=Collateral()).is_simulated


# TDX


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("field", "value", "claim"),
    [
        ("mrTd", b64(b"x" * 48), "MRTD"),
        ("anyMrTd", [b64(b"x" * 48), b64(b"y" * 48)], "MRTD"),
        ("mrSeam", b64(b"x" * 48), "TDX module's measurement"),
        ("mrConfigId", b64(b"x" * 48), "configuration ID"),
        ("mrOwner", b64(b"x" * 48), "owner"),
        ("mrOwnerConfig", b64(b"x" * 48), "owner's configuration"),
        ("tdAttributes", b64(bytes(8)), "domain attributes"),
        ("xfam", b64(bytes(8)), "extended features"),
        ("reportData", b64(bytes(64)), "report data"),
        ("minimumTeeTcbSvn", b64(bytes((3, 0, 5)).ljust(16, b"\0")), "TEE TCB SVN, component 2"),
        ("rtmrs", [b64(b"0" * 48), "", "", b64(b"x" * 48)], "RTMR3"),
    ],
)
def test_each_expectation_of_tdx_that_is_not_met_is_named(
    lab: EvidenceLab, field: str, value: object, claim: str
) -> None:
    assert tdx(lab).expecting(BODY, **{field: value}).failed() == [claim]


def test_header_fields_of_tdx_are_compared(lab: EvidenceLab) -> None:
    header = {"minimumQeSvn": 1, "minimumPceSvn": 1, "qeVendorId": b64(b"v" * 16)}
    subject = tdx(lab).expecting("policy", headerPolicy=header)
    assert subject.failed() == ["QE SVN", "PCE SVN", "QE vendor"]


def test_one_of_several_measurements_is_enough(lab: EvidenceLab) -> None:
    several = [b64(b"x" * 48), b64(b"m" * 48)]
    assert tdx(lab).expecting(BODY, mrTd=None, anyMrTd=several).verify().is_simulated


@pytest.mark.fault(54)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mrTd", None),
        ("mrTd", b64(bytes(48))),
        ("rtmrs", None),
        ("rtmrs", ["", "", "", ""]),
    ],
)
def test_a_tdx_policy_that_leaves_out_what_matters_is_an_error(
    lab: EvidenceLab, field: str, value: object
) -> None:
    with pytest.raises(InvalidInput, match="does not say what to expect"):
        tdx(lab).expecting(BODY, **{field: value}).verify()


@pytest.mark.parametrize("field", ["mrSeam", "minimumTeeTcbSvn"])
def test_module_and_tcb_may_be_left_to_intels_documents_alone(lab: EvidenceLab, field: str) -> None:
    subject = tdx(lab).expecting(BODY, **{field: None})
    assert subject.verify().is_simulated
    with pytest.raises(InvalidInput, match="does not say what to expect"):
        subject.expecting("rootOfTrust", getCollateral=None).verify()


@pytest.mark.parametrize("rtmrs", [[], [""] * 3, ["AA=="] * 4, "text"])
def test_registers_are_four_or_none(lab: EvidenceLab, rtmrs: object) -> None:
    with pytest.raises(InvalidInput, match="rtmrs"):
        tdx(lab).expecting(BODY, rtmrs=rtmrs).verify()


@pytest.mark.fault(58)
def test_a_domain_that_may_be_debugged_is_refused_unless_its_attributes_are_pinned(lab: EvidenceLab) -> None:
    attributes = (1 << 28 | 1).to_bytes(8, "little")
    debugged = tdx(lab, td_attributes=attributes)
    assert debugged.failed() == ["debugging by the host"]
    pinned = debugged.expecting(BODY, tdAttributes=b64(attributes))
    assert pinned.verify().is_simulated
    assert pinned.expecting(BODY, enableTdDebugCheck=True).failed() == ["debugging by the host"]


@pytest.mark.parametrize(
    ("fields", "claim"),
    [
        ({"td_attributes": (1 << 5).to_bytes(8, "little")}, "domain attributes' bits"),
        ({"xfam": (1).to_bytes(8, "little")}, "extended features' bits"),
        ({"xfam": (1 << 40 | 3).to_bytes(8, "little")}, "extended features' bits"),
        ({"mr_signer_seam": b"x" * 48}, "TDX module's signer"),
        ({"seam_attributes": b"\1".ljust(8, b"\0")}, "TDX module's attributes"),
        ({"tee_tcb_svn": bytes((3, 2)).ljust(16, b"\0")}, "TCB of the module TDX_02"),
    ],
)
def test_a_domain_or_module_of_another_kind_is_refused(
    lab: EvidenceLab, fields: dict[str, bytes], claim: str
) -> None:
    assert tdx(lab, **fields).failed() == [claim]


@pytest.mark.parametrize("status", [status for status in TcbStatus if status is not TcbStatus.UP_TO_DATE])
@pytest.mark.parametrize(
    ("level", "claim"),
    [
        ("status", "TCB of the platform"),
        ("module_status", "TCB of the module TDX_01"),
        ("enclave_status", "TCB of the quoting enclave"),
    ],
)
def test_every_level_must_be_up_to_date(lab: EvidenceLab, status: TcbStatus, level: str, claim: str) -> None:
    subject = tdx(lab, tee_tcb_svn=bytes((3, 1, 4)).ljust(16, b"\0"))
    assert subject.failed(collateral=lab.tdx.collateral(**{level: status})) == [claim]  # type: ignore[arg-type]  # one name each


def test_documents_of_another_signer_are_refused(lab: EvidenceLab, stranger: EvidenceLab) -> None:
    mixed = replace(stranger.tdx.collateral(), crls=lab.tdx.collateral().crls)
    assert tdx(lab).failed(collateral=mixed) == ["signature of the TCB info", "signature of the QE identity"]


@pytest.mark.parametrize("version", [4, 5])
def test_both_forms_of_a_quote_survive_their_bytes(lab: EvidenceLab, version: int) -> None:
    extra = {"tee_tcb_svn_2": b"2" * 16, "mr_service_td": b"s" * 48} if version == 5 else {}
    subject = tdx(lab, version=version, **extra)
    assert subject.verify().is_simulated
    assert TdxQuote.parse(subject.data).to_bytes() == subject.data


def test_version_5_may_carry_the_body_of_tdx_1_0(lab: EvidenceLab) -> None:
    assert tdx(lab, version=5).verify().is_simulated


def test_version_4_has_no_room_for_tdx_1_5(lab: EvidenceLab) -> None:
    with pytest.raises(InvalidInput, match=r"no fields of TDX 1\.5"):
        tdx(lab, tee_tcb_svn_2=b"2" * 16, mr_service_td=b"s" * 48)
    with pytest.raises(InvalidInput, match="mr_service_td"):
        tdx(lab, version=5, tee_tcb_svn_2=b"2" * 16)


# TPM


def test_registers_that_differ_or_were_not_quoted_are_named(lab: EvidenceLab) -> None:
    wanted = {"0": "01" * 32, "9": "00" * 32}
    assert snp_vtpm(lab).expecting("pcr_values", sha256=wanted).failed() == [
        "PCR 0 of sha256",
        "PCR 9 of sha256",
    ]
    assert vtpm(lab).expecting("pcr_values", sha1={"0": "00" * 20}).failed() == ["PCR 0 of sha1"]


@pytest.mark.parametrize("make", [snp_vtpm, vtpm])
def test_a_tpm_without_expected_registers_is_an_error(lab: EvidenceLab, make: Maker) -> None:
    with pytest.raises(InvalidInput, match="pcr_values"):
        make(lab).expecting("", pcr_values=None).verify()


def test_a_tpm_that_the_report_is_not_bound_to_is_refused(lab: EvidenceLab, stranger: EvidenceLab) -> None:
    subject = snp_vtpm(lab)
    swapped = stranger.tpm.attest(NONCE.tpm, snp_message=TpmEvidence.parse(subject.data).snp_message)
    assert subject.failed(swapped.to_bytes()) == ["report data"]


@pytest.mark.parametrize(
    "attributes",
    [0, AK_ATTRIBUTES ^ 1 << 16, AK_ATTRIBUTES ^ 1 << 1, AK_ATTRIBUTES ^ 1 << 18, AK_ATTRIBUTES | 1 << 17],
)
def test_a_key_that_signs_more_than_the_tpm_made_is_refused(lab: EvidenceLab, attributes: int) -> None:
    assert vtpm(lab, attributes=attributes).failed() == ["attestation key"]


def test_values_that_the_quote_is_not_of_are_refused(lab: EvidenceLab) -> None:
    subject = vtpm(lab)
    evidence = TpmEvidence.parse(subject.data)
    first = evidence.quotes[0]
    forged = replace(first, pcrs={**first.pcrs, 3: b"x" * 32})
    fewer = replace(first, pcrs={number: value for number, value in first.pcrs.items() if number != 3})
    for changed, claims in (
        (forged, ["TPM quote of sha256: digest of the registers"]),
        (fewer, ["TPM quote of sha256: registers", "TPM quote of sha256: digest of the registers"]),
        (
            replace(first, bank=HashAlgorithm.SHA1),
            ["TPM quote of sha1: registers", "PCR 0 of sha256", "PCR 7 of sha256"],
        ),
    ):
        assert subject.failed(replace(evidence, quotes=(changed,)).to_bytes()) == claims


def test_a_tpm_alone_needs_a_certificate_of_its_key(lab: EvidenceLab, stranger: EvidenceLab) -> None:
    assert vtpm(lab, with_certificate=False).failed() == ["attestation key's certificate"]
    subject = vtpm(lab)
    other = stranger.tpm.attest(NONCE.tpm)
    mixed = replace(TpmEvidence.parse(subject.data), ak_certificate=other.ak_certificate)
    assert subject.failed(mixed.to_bytes()) == ["attestation key's certificate", "certificate chain"]


def test_a_tpm_alone_shows_nothing_of_the_confidential_vm(lab: EvidenceLab) -> None:
    subject = vtpm(lab).expecting("policy", measurement=b64(b"m" * 48))
    assert subject.failed() == ["measurement"]


def test_registers_without_a_tpm_fail(lab: EvidenceLab) -> None:
    subject = snp(lab).expecting("", pcr_values={"sha256": {"0": "00" * 32}})
    assert subject.failed() == ["PCR values"]


# tokens


def test_a_token_must_not_contradict_what_is_inside(lab: EvidenceLab) -> None:
    subject = snp(lab)
    token = Token(Platform.SNP, subject.data, measurement=b"x" * 48)
    assert subject.failed(token.to_bytes()) == ["token's measurement"]
    with pytest.raises(InvalidInput, match="the token says TDX"):
        subject.verify(replace(token, platform=Platform.TDX).to_bytes())


def test_a_bare_map_is_a_token_too(lab: EvidenceLab) -> None:
    subject = in_token(snp(lab))
    payload = decode_cbor(subject.data).value[2]
    assert subject.verify(payload).is_simulated


@pytest.mark.fault(55)
@pytest.mark.parametrize("platform", ["NoCC", "Azure", 7, None])
def test_a_token_of_a_platform_that_is_not_known_is_refused(lab: EvidenceLab, platform: Any) -> None:
    token = encode_cbor({"platform_type": platform, "raw_report": snp(lab).data})
    with pytest.raises(InvalidInput, match="platform that is not known"):
        VmEvidence.parse(token)


# the laboratory


def test_a_policy_for_hardware_is_rehearsed_with_all_its_expectations(lab: EvidenceLab) -> None:
    report = lab.snp.attest(measurement=b"x" * 48, host_data=b"h" * 32, chip_id=b"c" * 64).report
    values = policy_from_evidence(report).values()
    values["policy"]["product"] = {"name": "SEV_PRODUCT_GENOA"}
    values["rootOfTrust"] = {"productLine": "Genoa", "checkCrl": True}
    policy = lab.rehearse(PolicyDocument.from_values(values))
    assert policy.values()["rootOfTrust"] == {"productLine": "SIMULATED", "checkCrl": True}
    assert lab.verify(lab.evidence_for(policy, NONCE), policy, nonce=NONCE).is_simulated
    debugged = lab.evidence_for(policy, NONCE, policy=0xB0000)
    with pytest.raises(EvidenceRefused, match="debugging by the host is on"):
        lab.verify(debugged, policy, nonce=NONCE)


def test_a_tdx_policy_is_rehearsed_too(lab: EvidenceLab) -> None:
    values = tdx(lab, mr_td=b"x" * 48, rtmr3=b"3" * 48).values
    values["rootOfTrust"] = {"checkCrl": True, "getCollateral": True}
    values["policy"]["headerPolicy"] = {"qeVendorId": b64(bytes.fromhex("939a7233f79c4ca9940a0db3957f0607"))}
    policy = lab.rehearse(PolicyDocument.from_values(values))
    assert lab.verify(lab.evidence_for(policy, NONCE), policy, nonce=NONCE).is_simulated
    with pytest.raises(EvidenceRefused, match="RTMR3"):
        lab.verify(lab.evidence_for(policy, NONCE, rtmr3=bytes(48)), policy, nonce=NONCE)


def test_evidence_for_a_policy_has_the_keys_that_it_trusts(lab: EvidenceLab) -> None:
    digest = base64.b64encode(b"k" * 48).decode()
    for fields in (
        {"requireAuthorKey": True, "trustedAuthorKeyHashes": [digest]},
        {"requireIdBlock": True, "trustedIdKeyHashes": [digest]},
    ):
        policy = snp(lab).expecting("policy", **fields).policy
        assert lab.verify(lab.evidence_for(policy, NONCE), policy, nonce=NONCE).is_simulated


def test_a_nonce_has_1_to_64_bytes() -> None:
    assert Nonce.of(b"n") == Nonce(b"n".ljust(64, b"\0"), b"n".ljust(32, b"\0"))
    assert Nonce.of(b"n", b"t").tpm == b"t"
    for sent, tpm in ((b"", None), (bytes(65), None), (b"n", b""), (b"n", bytes(33))):
        with pytest.raises(InvalidInput, match="has 1 to"):
            Nonce.of(sent, tpm)
