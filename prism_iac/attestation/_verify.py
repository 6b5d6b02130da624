"""The verifier: appraises evidence of SEV-SNP under a policy.

1. The policy says enough, and nothing that is not understood: otherwise it is refused, not skipped.
2. The certificates lead from the chip's key to a given root, and the report is signed by that key.
3. Every claim is as the policy expects.

All failed claims of 2 and 3 are told at once. Not checked: revocation (a policy that asks for it fails), the
parts of certificates' names besides the common name, and whatever a TPM would show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._snp_policy import SnpPolicy
from prism_iac.attestation.snp._appraisal import Case, appraise
from prism_iac.attestation.snp._chain import verify_chain
from prism_iac.attestation.snp._evidence import Evidence
from prism_iac.attestation.snp._guest_policy import is_guest_policy
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.errors import Defect, Finding, InvalidInput, VerificationFailure
from prism_iac.pki import load_certificates

__all__ = ["AttestationResult", "verify_report"]


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """That evidence meets a policy, and whose evidence it is.

    Attributes:
        report: The claims, all of them trustworthy as far as the root is.
        product: The product that signed them.
        root: The root that the chain ended at.
    """

    report: SnpReport
    product: Product
    root: x509.Certificate

    @property
    def is_simulated(self) -> bool:
        """Whether there is no hardware behind it."""
        return self.product is Product.SIMULATED


def verify_report(
    evidence: Evidence,
    policy: PolicyDocument,
    *,
    roots: bytes,
    now: datetime,
    report_data: bytes | None = None,
) -> AttestationResult:
    """Appraise evidence; returns only when every claim is as the policy expects.

    Args:
        evidence: The report and its certificates; the root among them is not looked at.
        policy: Must say what to expect of measurement, host data, guest policy, VMPL, TCB and product.
        roots: The trust anchors, PEM; certificates among them that are not self-signed are intermediates.
        now: The time, aware.
        report_data: The 64 bytes that the report must hold, when the policy does not say them.

    Raises:
        InvalidInput: The policy lacks an expectation, has one that is not understood, or cannot be read, or
            the roots cannot.
        VerificationFailure: With every claim that failed.
    """
    expected = policy.snp_policy()
    findings = (*_missing(expected, report_data), *_not_understood(expected))  # 1
    if findings:
        raise InvalidInput(findings)
    chain = verify_chain(evidence, load_certificates(roots), now)  # 2
    claims = appraise(Case(evidence.report, expected, chain.endorsement, report_data))  # 3
    failed = (*chain.failed, *claims)
    if failed:
        raise VerificationFailure(
            "the evidence does not meet the policy",
            failed=failed,
            next_step="Send nothing to this VM. Compare the policy file with the one of the VM that you expect.",
        )
    if chain.endorsement is None or chain.root is None:
        raise Defect("a chain without a failed claim has no root")
    return AttestationResult(evidence.report, chain.endorsement.product, chain.root)


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


def _not_understood(expected: SnpPolicy) -> Iterator[Finding]:
    for path in expected.unknown():
        yield Finding(
            path=path,
            message="the policy expects something that is not known here, so it cannot be checked",
            fix="Correct the name, or remove the field.",
        )
