"""The verifier of TDX: appraises a quote under a policy.

1. The policy says enough, and nothing that is not understood: otherwise it is refused, not skipped.
2. The certificates lead from the platform's key to a given root, and the quote is signed by its enclave.
3. Intel's documents call the platform, the module and the enclave up to date, where they are at hand or asked
   for.
4. Every claim is as the policy expects.

All checks of 2 to 4 are told at once. Not checked: TEE_TCB_SVN_2 and MRSERVICETD of TDX 1.5, which have no
field in policy files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from prism_iac.attestation._check import Check, refuse_failed
from prism_iac.attestation._collateral import Collateral
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._policy_values import TdxVendor
from prism_iac.attestation._result import AttestationResult
from prism_iac.attestation._roots import trusted_roots
from prism_iac.attestation._tdx_policy import TdxPolicy
from prism_iac.attestation.tdx._appraisal import appraise
from prism_iac.attestation.tdx._chain import verify_chain
from prism_iac.attestation.tdx._quote import TdxQuote
from prism_iac.attestation.tdx._tcb import check_tcb
from prism_iac.errors import Defect, Finding, InvalidInput

__all__ = ["TdxAppraisal", "TdxResult", "appraise_quote", "verify_quote"]


@dataclass(frozen=True, slots=True)
class TdxResult(AttestationResult):
    """That a quote meets a policy.

    Attributes:
        quote: The claims, all of them trustworthy as far as the root is.
    """

    quote: TdxQuote


def verify_quote(
    quote: TdxQuote,
    policy: PolicyDocument,
    *,
    now: datetime,
    report_data: bytes | None = None,
    roots: bytes | None = None,
    collateral: Collateral | None = None,
) -> TdxResult:
    """Appraise a quote; returns only when every claim is as the policy expects (attestation.md section 4.4).

    Args:
        quote: The quote and its certificates; the root among them is not looked at.
        policy: Must say what to expect of MRTD, RTMRs, module and TCB.
        now: The time, aware.
        report_data: The 64 bytes that the quote must hold, when the policy does not say them.
        roots: The trust anchors, PEM; certificates among them that are not self-signed are intermediates.
            The pinned set when there are none.
        collateral: What is at hand besides the evidence.

    Raises:
        InvalidInput: The policy lacks an expectation, has one that is not understood, or cannot be read, or
            the roots cannot.
        EvidenceRefused: A check failed; with all of them.
    """
    appraisal = appraise_quote(
        quote, policy, now=now, report_data=report_data, roots=roots, collateral=collateral
    )
    return appraisal.result(refuse_failed(appraisal.checks))


@dataclass(frozen=True, slots=True)
class TdxAppraisal:
    """The checks of a quote, whichever way they ended."""

    quote: TdxQuote
    root: x509.Certificate | None
    is_simulated: bool
    checks: tuple[Check, ...]

    def result(self, checks: tuple[Check, ...]) -> TdxResult:
        """The result that rests on checks of which none failed."""
        if self.root is None:
            raise Defect("a chain without a failed check has no root")
        return TdxResult(self.root, self.is_simulated, checks, self.quote)


def appraise_quote(
    quote: TdxQuote,
    policy: PolicyDocument,
    *,
    now: datetime,
    report_data: bytes | None = None,
    roots: bytes | None = None,
    collateral: Collateral | None = None,
) -> TdxAppraisal:
    """All checks of a quote, for a caller that adds others; arguments and refusals as in `verify_quote`."""
    expected = policy.tdx_policy()
    findings = (*_missing(expected, report_data), *expected.not_understood())  # 1
    if findings:
        raise InvalidInput(findings)
    given, trust = collateral or Collateral(), expected.root_of_trust
    chain = verify_chain(quote, trust, trusted_roots(roots), given, now)  # 2
    documents = check_tcb(quote, chain, trust, given, now)  # 3
    claims = appraise(quote, expected, report_data)  # 4
    is_simulated = trust.product is TdxVendor.SIMULATED
    return TdxAppraisal(quote, chain.root, is_simulated, (*chain.checks, *documents, *claims))


def _missing(expected: TdxPolicy, report_data: bytes | None) -> Iterator[Finding]:
    body, is_documented = expected.body, expected.root_of_trust.get_collateral
    has_mr_td = any(map(any, (body.mr_td or b"", *body.any_mr_td)))
    is_placeholder = any(not any(value) for value in (*body.any_mr_td, body.mr_td or b"x"))
    wanted = {
        "mr_td": has_mr_td and not is_placeholder,
        "rtmrs": body.rtmrs is not None and any(body.rtmrs),
        "mr_seam": is_documented or any(body.mr_seam or b""),
        "minimum_tee_tcb_svn": is_documented or any(body.minimum_tee_tcb_svn or b""),
        "report_data": report_data or body.report_data,
    }
    for name, is_there in wanted.items():
        if not is_there:
            yield Finding(
                path=f"policy.td_quote_body_policy.{name}",
                message="the policy does not say what to expect here",
                fix=_FIXES[name],
            )


_FIXES: Final = {
    "mr_td": "Set it to the measurement of the domain; a measurement of zeros is a placeholder.",
    "rtmrs": "Set all four; leave one empty only where it is not to be compared.",
    "mr_seam": "Set it to the measurement of the TDX module, or ask for Intel's documents by getCollateral.",
    "minimum_tee_tcb_svn": "Set it to the TCB that the platform must have at least, or set getCollateral.",
    "report_data": "Give the nonce that the evidence must answer.",
}
