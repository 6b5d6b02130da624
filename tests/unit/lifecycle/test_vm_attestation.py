"""What a refresh shows of a VM's evidence: the same for the same VM, and every way in which it may be worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prism_iac.attestation import Nonce, PolicyDocument, Tcb, policy_from_evidence
from prism_iac.lifecycle.handlers._vm_attestation import Shown, appraise, ask_agent, claims_of
from prism_iac.testing import EvidenceLab

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NONCE = Nonce.of(b"n" * 32)
TCB = Tcb(bytes((3, 2, 0, 0, 0, 0, 8, 115)))
OTHER_MEASUREMENT = b"\x09" * 48


@pytest.fixture(scope="module")
def lab() -> EvidenceLab:
    return EvidenceLab.create(now=NOW)


def every(tcb: Tcb) -> dict[str, Any]:
    return dict.fromkeys(("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"), tcb)


def evidence(lab: EvidenceLab, **fields: Any) -> bytes:
    return lab.snp.attest(**(every(TCB) | {"report_data": NONCE.tee} | fields)).to_bytes()


@pytest.fixture(scope="module")
def policy(lab: EvidenceLab) -> PolicyDocument:
    """What the VM showed when it was made."""
    return policy_from_evidence(lab.snp.attest(**every(TCB), report_data=bytes(64)).report)


def shown(lab: EvidenceLab, policy: PolicyDocument | None, data: bytes, nonce: Nonce = NONCE) -> Shown:
    text = None if policy is None else policy.to_bytes().decode()
    return appraise(data, text, nonce=nonce, roots=lab.roots, now=NOW)


def test_the_same_vm_shows_the_same_for_every_nonce(lab: EvidenceLab, policy: PolicyDocument) -> None:
    first = shown(lab, policy, evidence(lab))
    again = Nonce.of(b"m" * 32)
    assert first == shown(lab, policy, evidence(lab, report_data=again.tee), again)
    assert first.attestation == "accepted"
    assert first.reported_tcb == "boot loader 3, TEE 2, SNP 8, microcode 115"
    assert first.measurement is not None


def test_another_measurement_is_shown_and_refused(lab: EvidenceLab, policy: PolicyDocument) -> None:
    found = shown(lab, policy, evidence(lab, measurement=OTHER_MEASUREMENT))
    assert found.measurement == OTHER_MEASUREMENT.hex()
    assert found.attestation is not None
    assert found.attestation.startswith("refused; launch measurement is 0909")


def test_a_lower_tcb_is_shown_and_refused_part_by_part(lab: EvidenceLab, policy: PolicyDocument) -> None:
    lower = Tcb(bytes((3, 2, 0, 0, 0, 0, 7, 120)))
    found = shown(lab, policy, evidence(lab, **every(lower)))
    assert found.reported_tcb == "boot loader 3, TEE 2, SNP 7, microcode 120"
    assert found.attestation == (
        "refused; launch TCB, SNP is 7, not at least 8; reported TCB, SNP is 7, not at least 8"
    )


def test_evidence_for_another_nonce_is_refused_without_telling_it(
    lab: EvidenceLab, policy: PolicyDocument
) -> None:
    stale = shown(lab, policy, evidence(lab, report_data=bytes(64)))
    assert stale.attestation == "refused; report data is another"


def test_a_field_that_only_warns_is_told_and_accepted(lab: EvidenceLab, policy: PolicyDocument) -> None:
    wrong = policy.with_fields("policy", {"vmpl": 0})
    lenient = wrong.with_fields("acceptance", {"warn_until": {"vmpl": "2026-03-01"}})
    assert shown(lab, lenient, evidence(lab)).attestation == "accepted; VMPL is 2, not 0"
    ended = wrong.with_fields("acceptance", {"warn_until": {"vmpl": "2026-02-28"}})
    assert shown(lab, ended, evidence(lab)).attestation == "refused; VMPL is 2, not 0"


def test_evidence_of_another_root_is_refused(lab: EvidenceLab, policy: PolicyDocument) -> None:
    found = appraise(evidence(lab), policy.to_bytes().decode(), nonce=NONCE, roots=None, now=NOW)
    assert found.attestation is not None
    assert found.attestation.startswith("refused; ")


@pytest.mark.parametrize("data", [b"", b"\x02\0\0\0", b"nothing"])
def test_what_is_no_evidence_fails(lab: EvidenceLab, policy: PolicyDocument, data: bytes) -> None:
    found = shown(lab, policy, data)
    assert found == replace(Shown(), attestation=found.attestation)
    assert str(found.attestation).startswith("failed: ")


def test_without_a_policy_nothing_is_accepted(lab: EvidenceLab) -> None:
    found = shown(lab, None, evidence(lab))
    assert found.measurement is not None
    assert found.attestation == "failed: there is no policy to hold it against"
    empty = shown(lab, PolicyDocument.from_values({}), evidence(lab))
    assert str(empty.attestation).startswith("failed: ")


def test_an_agent_that_does_not_answer_fails(tmp_path: Path) -> None:
    found = ask_agent(tmp_path / "evidence.sock", "{}", roots=None, now=NOW)
    assert found == Shown(attestation="failed: the agent does not answer")


def test_what_a_vm_told_prism_is_shown_and_not_appraised(lab: EvidenceLab) -> None:
    told = claims_of(evidence(lab))
    assert (told.measurement is not None, told.attestation) == (True, None)
    assert claims_of(b"nothing") == Shown()
