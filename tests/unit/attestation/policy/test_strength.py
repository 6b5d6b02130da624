"""How much a policy notices, by the trials and by evidence that the laboratory signs again."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from prism_iac.attestation import (
    Endorser,
    Evidence,
    EvidenceRefused,
    Nonce,
    Platform,
    PolicyDocument,
    SnpReport,
    Tcb,
    VmEvidence,
    policy_from_evidence,
)
from prism_iac.attestation.policy import PolicyFile, PolicyForm, measure_strength
from prism_iac.attestation.policy._worse_report import worse_reports
from prism_iac.attestation.snp._product import Product
from prism_iac.errors import InvalidInput
from prism_iac.testing import EvidenceLab

NONCE = Nonce.of(b"n" * 64)
TCB = Tcb(bytes((3, 2, 0, 0, 0, 0, 8, 115)))


@pytest.fixture(scope="module")
def report(lab: EvidenceLab) -> SnpReport:
    evidence = lab.snp.attest(
        version=5,
        guest_svn=2,
        policy=0x3011F,
        platform_info=0x24,
        report_data=NONCE.tee,
        current_tcb=TCB,
        reported_tcb=TCB,
        committed_tcb=TCB,
        launch_tcb=TCB,
        current_minor=55,
        committed_minor=55,
        current_major=1,
        committed_major=1,
        current_build=8,
        committed_build=8,
    )
    return evidence.report


def policy_with(report: SnpReport, **fields: Any) -> PolicyDocument:
    values = policy_from_evidence(report).values()
    values["policy"] = {
        name: value for name, value in (values["policy"] | fields).items() if value is not None
    }
    return PolicyDocument.from_values(values)


def strict(report: SnpReport, **fields: Any) -> PolicyDocument:
    """A policy with everything that policy files can say of a report but its keys."""
    wanted: dict[str, Any] = {
        "minimumGuestSvn": report.guest_svn,
        "platformInfo": str(report.platform_info),
        "reportId": base64.b64encode(report.report_id).decode(),
        "product": {"name": "SEV_PRODUCT_SIMULATED", "machineStepping": report.cpuid_stepping},
    }
    return policy_with(report, **(wanted | fields))


def weaknesses(report: SnpReport, policy: PolicyDocument) -> set[str]:
    trials = measure_strength(VmEvidence(Platform.SNP, snp=Evidence(report)), policy)
    return {trial.field for trial in trials if trial.is_weakness}


def test_a_policy_that_says_everything_has_no_weakness_but_keys(report: SnpReport) -> None:
    assert weaknesses(report, strict(report)) == {"policy.requireIdBlock", "policy.requireAuthorKey"}


def test_the_policy_of_a_vm_does_not_notice_what_it_does_not_pin(report: SnpReport) -> None:
    assert weaknesses(report, policy_from_evidence(report)) == {
        "policy.requireIdBlock",
        "policy.requireAuthorKey",
        "policy.minimumGuestSvn",
        "policy.platformInfo",
        "policy.reportId",
        "policy.product.machineStepping",
    }


@pytest.mark.parametrize(
    "field",
    [
        "measurement",
        "hostData",
        "familyId",
        "imageId",
        "reportId",
        "reportIdMa",
        "chipId",
        "minimumTcb",
        "minimumLaunchTcb",
        "minimumVersion",
        "minimumBuild",
        "minimumGuestSvn",
        "platformInfo",
    ],
)
def test_a_field_taken_out_of_a_policy_is_the_weakness_that_is_told(report: SnpReport, field: str) -> None:
    keys = {"policy.requireIdBlock", "policy.requireAuthorKey"}
    # A lower TCB is lower at launch, too, and a lower least one notices no more than the launch's.
    without = strict(report, **{field: None}, **({"minimumLaunchTcb": None} if field == "minimumTcb" else {}))
    assert weaknesses(report, without) - keys >= {f"policy.{field}"}


def test_a_guest_policy_that_allows_more_is_a_weakness(report: SnpReport) -> None:
    trials = measure_strength(
        VmEvidence(Platform.SNP, snp=Evidence(report)), strict(report, policy=str(report.policy | 1 << 19))
    )
    assert [
        (trial.claim, trial.change)
        for trial in trials
        if trial.field == "policy.policy" and trial.is_weakness
    ] == [("guest policy", "debugging by the host on")]


def test_the_trials_end_as_evidence_that_is_signed_again_does(lab: EvidenceLab, report: SnpReport) -> None:
    policies = (strict(report), policy_from_evidence(report), strict(report, minimumTcb="1", chipId=None))
    for policy in policies:
        trials = measure_strength(VmEvidence(Platform.SNP, snp=Evidence(report)), policy)
        for trial, worse in zip(trials, worse_reports(report, Product.SIMULATED), strict=True):
            if worse.claim == "product":
                continue  # the laboratory has no platform of another product
            evidence = VmEvidence(Platform.SNP, snp=lab.snp.sign(worse.report))
            assert (Endorser.VLEK in lab.snp.sign(worse.report).certificates) == (
                worse.claim == "signing key"
            )
            failed: set[str] = set()
            try:
                lab.verify(evidence, policy, nonce=NONCE)
            except EvidenceRefused as refusal:
                failed = {claim.claim for claim in refusal.failed}
            assert bool(failed) is bool(trial.noticed_by), (trial.claim, trial.change)
            assert failed >= set(trial.noticed_by)


@pytest.mark.fault(57)
@pytest.mark.parametrize("form", list(PolicyForm))
def test_a_policy_is_as_strong_in_every_form(report: SnpReport, form: PolicyForm) -> None:
    policy = strict(report)
    evidence = VmEvidence(Platform.SNP, snp=Evidence(report))
    written = PolicyFile.make(policy, form).document
    assert measure_strength(evidence, written) == measure_strength(evidence, policy)


def test_evidence_that_the_policy_refuses_is_refused(report: SnpReport) -> None:
    other = replace(report, vmpl=0)
    with pytest.raises(EvidenceRefused, match="VMPL"):
        measure_strength(VmEvidence(Platform.SNP, snp=Evidence(other)), strict(report))


def test_evidence_of_another_platform_is_refused(lab: EvidenceLab, report: SnpReport) -> None:
    quote = lab.tdx.attest(report_data=NONCE.tee)
    with pytest.raises(InvalidInput, match="no policy for TDX"):
        measure_strength(VmEvidence(Platform.TDX, tdx=quote), strict(report))
    with pytest.raises(InvalidInput, match="TPM alone"):
        measure_strength(VmEvidence(Platform.VTPM), strict(report))


def test_every_register_that_a_policy_for_tdx_does_not_pin_is_told(lab: EvidenceLab) -> None:
    quote = lab.tdx.attest(report_data=NONCE.tee)
    body = quote.body

    def b64(data: bytes) -> str:
        return base64.b64encode(data).decode()

    everything: dict[str, Any] = {
        "mrTd": b64(body.mr_td),
        "mrSeam": b64(body.mr_seam),
        "mrConfigId": b64(body.mr_config_id),
        "mrOwner": b64(body.mr_owner),
        "mrOwnerConfig": b64(body.mr_owner_config),
        "rtmrs": [b64(register) for register in body.rtmrs],
        "tdAttributes": b64(body.td_attributes),
        "xfam": b64(body.xfam),
        "minimumTeeTcbSvn": b64(body.tee_tcb_svn),
    }

    def found(fields: dict[str, Any]) -> set[str]:
        policy = PolicyDocument.from_values(
            {
                "policy": {
                    "headerPolicy": {"minimumQeSvn": quote.qe_svn, "minimumPceSvn": quote.pce_svn},
                    "tdQuoteBodyPolicy": fields,
                },
                "rootOfTrust": {"product": "SIMULATED"},
            }
        )
        trials = measure_strength(VmEvidence(Platform.TDX, tdx=quote), policy)
        return {
            trial.field.removeprefix("policy.tdQuoteBodyPolicy.") for trial in trials if trial.is_weakness
        }

    assert found(everything) == set()
    for field in everything:
        without = {name: value for name, value in everything.items() if name != field}
        assert found(without) == {field}
