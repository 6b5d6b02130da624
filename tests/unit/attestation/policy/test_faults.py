"""Every expectation counts in every form: changed it refuses, empty or unknown it is an error."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from prism_iac.attestation import EvidenceRefused, Nonce, PolicyDocument, VmEvidence, policy_from_evidence
from prism_iac.attestation.policy import PolicyFile, PolicyForm
from prism_iac.errors import InvalidInput
from prism_iac.testing import EvidenceLab

NONCE = Nonce.of(b"n" * 64)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


OTHERS: dict[str, tuple[Any, str]] = {
    "measurement": (b64(b"x" * 48), "launch measurement"),
    "hostData": (b64(b"x" * 32), "host data"),
    "familyId": (b64(b"x" * 16), "family ID"),
    "imageId": (b64(b"x" * 16), "image ID"),
    "reportId": (b64(b"x" * 32), "report ID"),
    "reportIdMa": (b64(b"x" * 32), "migration agent's report ID"),
    "reportData": (b64(b"x" * 64), "report data"),
    "chipId": (b64(b"x" * 64), "chip ID"),
    "vmpl": (0, "VMPL"),
    "policy": ("131072", "guest policy"),
    "minimumTcb": (str(2**64 - 1), "reported TCB, microcode"),
    "minimumLaunchTcb": (str(2**64 - 1), "launch TCB, microcode"),
    "minimumGuestSvn": (1, "guest SVN"),
    "minimumBuild": (255, "firmware build"),
    "minimumVersion": ("255.255", "firmware version"),
    "platformInfo": ("4", "platform information"),
    "requireIdBlock": (True, "ID key"),
    "requireAuthorKey": (True, "author key"),
    "product": ({"name": "SEV_PRODUCT_SIMULATED", "machineStepping": 7}, "stepping"),
}
"""Another value of every field of the policy, and the claim that must fail for it."""


@pytest.fixture(scope="module")
def evidence(lab: EvidenceLab) -> VmEvidence:
    return VmEvidence.parse(lab.snp.attest(report_data=NONCE.tee).to_bytes())


def in_form(values: dict[str, Any], form: PolicyForm) -> PolicyDocument:
    return PolicyFile.make(PolicyDocument.from_values(values), form).document


def values_of(evidence: VmEvidence) -> dict[str, Any]:
    assert evidence.snp is not None
    return policy_from_evidence(evidence.snp.report).values()


@pytest.mark.fault(53)
@pytest.mark.parametrize("form", list(PolicyForm))
@pytest.mark.parametrize("field", OTHERS)
def test_another_value_of_any_field_refuses_and_names_the_claim(
    field: str, form: PolicyForm, lab: EvidenceLab, evidence: VmEvidence
) -> None:
    values = values_of(evidence)
    lab.verify(evidence, in_form(values, form), nonce=NONCE)
    values["policy"][field], claim = OTHERS[field]
    with pytest.raises(EvidenceRefused) as refusal:
        lab.verify(evidence, in_form(values, form), nonce=NONCE)
    assert claim in [failed.claim for failed in refusal.value.failed]


@pytest.mark.fault(53)
def test_another_register_of_a_tpm_refuses(lab: EvidenceLab, evidence: VmEvidence) -> None:
    values = values_of(evidence)
    values["pcr_values"]["sha256"] = {"0": "00" * 32}
    for form in PolicyForm:
        with pytest.raises(EvidenceRefused, match="PCR values"):
            lab.verify(evidence, in_form(values, form), nonce=NONCE)


@pytest.mark.fault(54)
@pytest.mark.parametrize("form", list(PolicyForm))
@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("field", ["measurement", "hostData", "policy", "vmpl", "minimumTcb"])
def test_an_expectation_that_is_empty_or_absent_is_an_error_that_names_it(
    field: str, empty: str | None, form: PolicyForm, lab: EvidenceLab, evidence: VmEvidence
) -> None:
    values = values_of(evidence)
    values["policy"][field] = empty
    with pytest.raises(InvalidInput) as refusal:
        lab.verify(evidence, in_form(values, form), nonce=NONCE)
    names = {
        finding.path.removeprefix("policy.").replace("_", "").lower() for finding in refusal.value.findings
    }
    assert names == {field.lower()}


@pytest.mark.fault(55)
@pytest.mark.parametrize("form", list(PolicyForm))
def test_a_field_that_nobody_knows_is_an_error_that_names_it(
    form: PolicyForm, lab: EvidenceLab, evidence: VmEvidence
) -> None:
    values = values_of(evidence)
    values["policy"]["measurment"] = values["policy"]["measurement"]
    with pytest.raises(InvalidInput, match=r"policy\.measurment"):
        lab.verify(evidence, in_form(values, form), nonce=NONCE)
