"""How much of good evidence a policy would notice if it were worse.

Each field is made worse as a genuine platform of the same maker would show it, the certificate along with the
report: no signature is made, for every such platform has a key that makes it. So the checks of claims alone
decide. Source: attestation.md sections 3.2 and 4.5 for the checks, and the fault matrix, number 53.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prism_iac.attestation._check import Check, Outcome, refuse_failed
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._snp_policy import SnpPolicy
from prism_iac.attestation._tdx_policy import TdxPolicy
from prism_iac.attestation._vm_evidence import VmEvidence
from prism_iac.attestation.policy._refusal import refusal
from prism_iac.attestation.policy._worse_quote import worse_quotes
from prism_iac.attestation.policy._worse_report import worse_reports
from prism_iac.attestation.snp._appraisal import Case
from prism_iac.attestation.snp._appraisal import appraise as appraise_report
from prism_iac.attestation.snp._endorsement import Endorsement
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.attestation.tdx._appraisal import appraise as appraise_quote
from prism_iac.attestation.tdx._quote import TdxQuote

__all__ = ["Trial", "measure_strength"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One field of the evidence made worse.

    Attributes:
        claim: What was changed.
        change: How.
        field: The field of policy files that speaks of it; empty when there is none.
        noticed_by: The claims that the policy no longer accepts; empty when it would not notice.
    """

    claim: str
    change: str
    field: str
    noticed_by: tuple[str, ...]

    @property
    def is_weakness(self) -> bool:
        """Whether the policy would not notice, though it could say something."""
        return bool(self.field) and not self.noticed_by


def measure_strength(evidence: VmEvidence, policy: PolicyDocument) -> tuple[Trial, ...]:
    """Every trial of a policy with evidence that it accepts (attestation.md sections 3.2 and 4.5).

    The signatures of the evidence are not looked at, and its report data counts as what was asked for.

    Raises:
        InvalidInput: The policy cannot be read, or is for another platform than the evidence is of.
        EvidenceRefused: The policy does not accept the evidence as it is.
    """
    if evidence.tdx is not None:
        return tuple(_try_quote(evidence.tdx, policy.tdx_policy()))
    if evidence.snp is not None:
        has_tpm = evidence.tpm is not None
        return tuple(_try_report(evidence.snp.report, policy.snp_policy(), has_tpm=has_tpm))
    raise refusal(
        "evidence of a TPM alone has no claims that this can change", "Give evidence of SEV-SNP or TDX."
    )


def _try_report(report: SnpReport, policy: SnpPolicy, *, has_tpm: bool) -> Iterator[Trial]:
    product = report.product or policy.product
    if product is None:
        raise refusal("neither the evidence nor the policy tells the product", "Name it in policy.product.")

    def appraise(found: SnpReport) -> Iterable[Check]:
        # The key of a platform is certified for what its report says of it.
        certified = Endorsement(found.product or product, "", found.reported_tcb, found.chip_id)
        return appraise_report(Case(found, policy, certified, report.report_data, has_tpm))

    refuse_failed(appraise(report))
    for worse in worse_reports(report, product):
        yield Trial(worse.claim, worse.change, worse.field, _noticed(appraise(worse.report)))


def _try_quote(quote: TdxQuote, policy: TdxPolicy) -> Iterator[Trial]:
    def appraise(found: TdxQuote) -> Iterable[Check]:
        return appraise_quote(found, policy, quote.body.report_data)

    refuse_failed(appraise(quote))
    for worse in worse_quotes(quote):
        yield Trial(worse.claim, worse.change, worse.field, _noticed(appraise(worse.quote)))


def _noticed(checks: Iterable[Check]) -> tuple[str, ...]:
    claims = (check.claim for check in checks if check.outcome is Outcome.FAIL)
    return tuple(dict.fromkeys(claims))
