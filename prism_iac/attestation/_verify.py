"""The verifier: appraises evidence in whichever form, under a policy.

1. Evidence of SEV-SNP and of TDX is verified as `snp` and `tdx` say.
2. Where a TPM came with a report, its attestation key is the one that the report is bound to.
3. Where a TPM came alone, its key's certificate leads to a root of a named file; none is pinned.
4. The TPM's quotes are signed by that key, answer the nonce, and have the registers that the policy expects.
5. A token around it all adds nothing; but it must not contradict what is inside.
6. What the policy does not enforce yet is told beside it.

All checks are told at once. Not checked: event logs; and of a TPM alone, what kind of key its attestation key
is, beyond what it says itself: that is for the issuer of the key's certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from cryptography import x509

from prism_iac.attestation._acceptance import Settled, settle, warnings_among
from prism_iac.attestation._check import Check, compare, fail, not_asked, refuse_failed
from prism_iac.attestation._collateral import Collateral
from prism_iac.attestation._nonce import Nonce
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._result import AttestationResult
from prism_iac.attestation._roots import trusted_roots
from prism_iac.attestation._snp_policy import SnpPolicy
from prism_iac.attestation._vm_evidence import VmEvidence
from prism_iac.attestation.snp._evidence import Evidence
from prism_iac.attestation.snp._verify import appraise_report
from prism_iac.attestation.tdx._verify import appraise_quote
from prism_iac.attestation.tpm._chain import verify_chain
from prism_iac.attestation.tpm._evidence import TpmEvidence
from prism_iac.attestation.tpm._quotes import check_quotes
from prism_iac.errors import Defect, Finding, InvalidInput

__all__ = ["verify_evidence"]


class _Appraisal(Protocol):
    """The checks of one platform's evidence, and the result that they lead to."""

    @property
    def checks(self) -> tuple[Check, ...]: ...

    def result(self, checks: tuple[Check, ...]) -> AttestationResult: ...


@dataclass(frozen=True, slots=True)
class _Given:
    policy: PolicyDocument
    now: datetime
    nonce: Nonce | None
    roots: bytes | None
    collateral: Collateral


def verify_evidence(
    evidence: VmEvidence,
    policy: PolicyDocument,
    *,
    now: datetime,
    nonce: Nonce | None = None,
    roots: bytes | None = None,
    collateral: Collateral | None = None,
) -> AttestationResult:
    """Appraise evidence; returns only when every claim is as the policy expects.

    Source: attestation.md sections 3 and 4.4; cocos-grpc.md section 8.3.

    Args:
        evidence: What the VM shows; roots among it are not looked at.
        policy: Must say what to expect of everything that the platform measures.
        now: The time, aware.
        nonce: What was sent; None when the policy says the report data.
        roots: The trust anchors, PEM; certificates among them that are not self-signed are intermediates.
            The pinned set when there are none.
        collateral: What is at hand besides the evidence.

    Raises:
        InvalidInput: The policy lacks an expectation, has one that is not understood, or cannot be read, or
            the roots cannot.
        EvidenceRefused: A check failed; with all of them.
    """
    settled = Settled(policy, policy)
    if evidence.snp is not None and not policy.is_tdx:
        settled = settle(policy, evidence.snp.report, now=now)
    given = _Given(settled.enforced, now, nonce, roots, collateral or Collateral())
    appraisal = _appraise(evidence, given)
    checks = refuse_failed((*_check_token(evidence), *appraisal.checks))
    if settled.wanted != settled.enforced:  # 6
        wanted = _appraise(evidence, replace(given, policy=settled.wanted))
        checks = (*checks, *warnings_among(wanted.checks))
    return appraisal.result(checks)


def _appraise(evidence: VmEvidence, given: _Given) -> _Appraisal:
    if evidence.tdx is not None:
        return appraise_quote(
            evidence.tdx,
            given.policy,
            now=given.now,
            report_data=given.nonce.tee if given.nonce else None,
            roots=given.roots,
            collateral=given.collateral,
        )
    if evidence.snp is not None and evidence.tpm is not None:
        return _appraise_snp_with_tpm(evidence.snp, evidence.tpm, given)
    if evidence.snp is not None:
        return appraise_report(
            evidence.snp,
            given.policy,
            now=given.now,
            report_data=given.nonce.tee if given.nonce else None,
            roots=given.roots,
            collateral=given.collateral,
        )
    if evidence.tpm is not None:
        return _appraise_tpm(evidence.tpm, given)
    raise Defect("evidence of no platform")


def _appraise_snp_with_tpm(evidence: Evidence, tpm: TpmEvidence, given: _Given) -> _Appraisal:
    """The key of the TPM is trusted as far as the report is, whose report data binds it (step 2)."""
    nonce, expected = _nonce_and_registers(given)
    appraisal = appraise_report(
        evidence,
        given.policy,
        now=given.now,
        report_data=nonce.report_data_with(tpm.ak_public),
        roots=given.roots,
        collateral=given.collateral,
        has_tpm=True,
    )
    quotes = check_quotes(tpm, expected.pcr_values, nonce.tpm)
    return replace(appraisal, checks=(*appraisal.checks, *quotes))


@dataclass(frozen=True, slots=True)
class _TpmAppraisal:
    root: x509.Certificate | None
    is_simulated: bool
    checks: tuple[Check, ...]

    def result(self, checks: tuple[Check, ...]) -> AttestationResult:
        if self.root is None:
            raise Defect("a chain without a failed check has no root")
        return AttestationResult(self.root, self.is_simulated, checks)


def _appraise_tpm(tpm: TpmEvidence, given: _Given) -> _Appraisal:
    """A TPM alone shows registers, and nothing of the confidential VM that it may belong to (step 3)."""
    nonce, expected = _nonce_and_registers(given)
    product = expected.product
    is_simulated = product is not None and product.is_simulated
    chain = verify_chain(
        tpm,
        trusted_roots(given.roots) if given.roots is not None else (),
        given.collateral,
        now=given.now,
        must_check_crl=expected.root_of_trust.check_crl,
        must_be_simulated=is_simulated,
    )
    beyond = sorted(expected.policy.model_fields_set)
    wants_report = tuple(
        fail(name.replace("_", " "), "a report that shows it", "evidence of a TPM alone") for name in beyond
    )
    quotes = check_quotes(tpm, expected.pcr_values, nonce.tpm)
    return _TpmAppraisal(chain.root, is_simulated, (*chain.checks, *quotes, *wants_report))


def _nonce_and_registers(given: _Given) -> tuple[Nonce, SnpPolicy]:
    """The nonce, and the policy with its registers; a TPM is of no use without either."""
    expected = given.policy.snp_policy()
    findings = [*expected.not_understood()]
    if not expected.pcr_values:
        findings.append(
            Finding(
                path="pcr_values",
                message="the policy does not say what to expect here",
                fix="Set the registers that the TPM must have.",
            )
        )
    if given.nonce is None:
        findings.append(
            Finding(
                path="nonce",
                message="a TPM's quotes answer a nonce, and none is given",
                fix="Give the nonce that the evidence must answer.",
            )
        )
    if findings or given.nonce is None:
        raise InvalidInput(findings)
    return given.nonce, expected


def _check_token(evidence: VmEvidence) -> Iterator[Check]:
    """What a token says again must be what the evidence inside says (step 5)."""
    token = evidence.token
    if token is None:
        return
    yield not_asked("token's signature", "by a key that is published nowhere")
    measurement = b""
    if evidence.snp is not None:
        measurement = evidence.snp.report.measurement
    elif evidence.tdx is not None:
        measurement = evidence.tdx.body.mr_td
    if measurement and token.measurement:
        yield compare("token's measurement", measurement, token.measurement)
