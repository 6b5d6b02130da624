"""The verifier of SEV-SNP: appraises a report and its certificates under a policy.

1. The policy says enough, and nothing that is not understood: otherwise it is refused, not skipped.
2. The certificates lead from the chip's key to a given root, and the report is signed by that key.
3. Every claim is as the policy expects.

All checks of 2 and 3 are told at once. Not checked: the mitigation vectors of version 5, which have no field
in policy files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prism_iac.attestation._check import Check, refuse_failed
from prism_iac.attestation._collateral import Collateral
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._result import AttestationResult
from prism_iac.attestation._roots import trusted_roots
from prism_iac.attestation._snp_policy import SnpPolicy
from prism_iac.attestation.snp._appraisal import Case, appraise
from prism_iac.attestation.snp._chain import ChainResult, Endorsements, verify_chain
from prism_iac.attestation.snp._evidence import Evidence
from prism_iac.attestation.snp._guest_policy import is_guest_policy
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.errors import Defect, Finding, InvalidInput

__all__ = ["SnpAppraisal", "SnpResult", "appraise_report", "verify_report"]


@dataclass(frozen=True, slots=True)
class SnpResult(AttestationResult):
    """That evidence of SEV-SNP meets a policy, and whose evidence it is.

    Attributes:
        report: The claims, all of them trustworthy as far as the root is.
        product: The product that signed them.
    """

    report: SnpReport
    product: Product


def verify_report(
    evidence: Evidence,
    policy: PolicyDocument,
    *,
    now: datetime,
    report_data: bytes | None = None,
    roots: bytes | None = None,
    collateral: Collateral | None = None,
) -> SnpResult:
    """Appraise evidence; returns only when every claim is as the policy expects (attestation.md section 3).

    Args:
        evidence: The report and its certificates; the root among them is not looked at.
        policy: Must say what to expect of measurement, host data, guest policy, VMPL, TCB and product.
        now: The time, aware.
        report_data: The 64 bytes that the report must hold, when the policy does not say them.
        roots: The trust anchors, PEM; certificates among them that are not self-signed are intermediates.
            The pinned set when there are none.
        collateral: What is at hand besides the evidence.

    Raises:
        InvalidInput: The policy lacks an expectation, has one that is not understood, or cannot be read, or
            the roots cannot.
        EvidenceRefused: A check failed; with all of them.
    """
    appraisal = appraise_report(
        evidence, policy, now=now, report_data=report_data, roots=roots, collateral=collateral
    )
    return appraisal.result(refuse_failed(appraisal.checks))


@dataclass(frozen=True, slots=True)
class SnpAppraisal:
    """The checks of a report, whichever way they ended."""

    report: SnpReport
    chain: ChainResult
    checks: tuple[Check, ...]

    def result(self, checks: tuple[Check, ...]) -> SnpResult:
        """The result that rests on checks of which none failed."""
        endorsement, root = self.chain.endorsement, self.chain.root
        if endorsement is None or root is None:
            raise Defect("a chain without a failed check has no root")
        product = endorsement.product
        return SnpResult(root, product.is_simulated, checks, self.report, product)


def appraise_report(
    evidence: Evidence,
    policy: PolicyDocument,
    *,
    now: datetime,
    report_data: bytes | None = None,
    roots: bytes | None = None,
    collateral: Collateral | None = None,
    has_tpm: bool = False,
) -> SnpAppraisal:
    """All checks of a report, for a caller that adds others; arguments and refusals as in `verify_report`.

    Args:
        evidence: As there. So is all that is not told here.
        policy: As there.
        now: As there.
        report_data: As there.
        roots: As there.
        collateral: As there.
        has_tpm: Whether a TPM quote came with it, whose checks the caller adds.
    """
    expected = policy.snp_policy()
    findings = (*_missing(expected, report_data), *expected.not_understood())  # 1
    if findings:
        raise InvalidInput(findings)
    given = collateral or Collateral()
    chain = verify_chain(  # 2
        evidence,
        Endorsements(trusted_roots(roots), given.certificates, given.crls, expected.root_of_trust.check_crl),
        now,
    )
    claims = appraise(Case(evidence.report, expected, chain.endorsement, report_data, has_tpm))  # 3
    return SnpAppraisal(evidence.report, chain, (*chain.checks, *claims))


def _missing(expected: SnpPolicy, report_data: bytes | None) -> Iterator[Finding]:
    values = expected.policy
    wanted = {
        "measurement": values.measurement if values.measurement and any(values.measurement) else None,
        "host_data": values.host_data,
        "policy": values.policy if values.policy and is_guest_policy(values.policy) else None,
        "vmpl": values.vmpl,
        "minimum_tcb": values.minimum_tcb if values.minimum_tcb and any(values.minimum_tcb.parts) else None,
        "product": expected.product,
        "report_data": report_data or values.report_data,
    }
    for name, value in wanted.items():
        if value is None:
            yield Finding(
                path=f"policy.{name}",
                message="the policy does not say what to expect here",
                fix=_FIXES.get(name, "Set it, or download the policy of the VM."),
            )
    lines = {values.product.name, expected.root_of_trust.product_line, expected.root_of_trust.product}
    if len(lines - {None}) > 1:
        yield Finding(
            path="policy.product",
            message="the policy names different products",
            fix="Name the same product in policy.product and rootOfTrust.",
        )


_FIXES: Final = {
    "measurement": "Set it to the launch measurement of the VM; a measurement of zeros is a placeholder.",
    "policy": "Set it to a guest policy with bit 17, such as 196608.",
    "minimum_tcb": "Set it to the TCB that the platform must have at least; zero would accept any.",
    "report_data": "Give the nonce that the evidence must answer.",
}
