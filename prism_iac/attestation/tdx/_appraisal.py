"""Whether the claims of a quote are those that a policy expects.

Each rule yields its checks, whichever way they end. Source: attestation.md section 4.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.attestation._check import Check, compare, fail, judge, not_asked, shown
from prism_iac.attestation._policy_values import TdxVendor
from prism_iac.attestation._tdx_policy import TdxPolicy
from prism_iac.attestation.tdx._body import DEBUG_BIT
from prism_iac.attestation.tdx._quote import INTEL_QE_VENDOR, SIMULATED_QE_VENDOR, TdxQuote

__all__ = ["appraise"]

_VENDORS: Final = {TdxVendor.INTEL: INTEL_QE_VENDOR, TdxVendor.SIMULATED: SIMULATED_QE_VENDOR}

_VERBATIM: Final = {
    "mr_seam": "TDX module's measurement",
    "td_attributes": "domain attributes",
    "xfam": "extended features",
    "mr_config_id": "configuration ID",
    "mr_owner": "owner",
    "mr_owner_config": "owner's configuration",
}
"""The fields that must be equal when the policy has them, and their names."""

_XFAM_ALWAYS: Final = 0x3
_XFAM_KNOWN: Final = 0x0006DBE7
_ATTRIBUTES_KNOWN: Final = 1 << 0 | 1 << 28 | 1 << 30 | 1 << 63


def appraise(quote: TdxQuote, policy: TdxPolicy, report_data: bytes | None) -> Iterator[Check]:
    """Every check of a quote's claims (attestation.md section 4.5).

    Args:
        quote: The claims.
        policy: The reference values.
        report_data: What the relying party sent; None when only the policy says it.
    """
    yield from _header(quote, policy)
    yield from _measurements(quote, policy)
    for field, name in _VERBATIM.items():
        yield compare(name, getattr(policy.body, field), getattr(quote.body, field))
    yield from _always(quote, policy)
    yield from _tcb_svn(quote, policy)
    for wanted in {policy.body.report_data, report_data} - {None}:
        yield compare("report data", wanted, quote.body.report_data)


def _header(quote: TdxQuote, policy: TdxPolicy) -> Iterator[Check]:
    expected = policy.policy.header_policy
    for name, minimum, found in (
        ("QE SVN", expected.minimum_qe_svn, quote.qe_svn),
        ("PCE SVN", expected.minimum_pce_svn, quote.pce_svn),
    ):
        if minimum is None:
            yield not_asked(name, str(found))
        else:
            yield judge(name, f"at least {minimum}", str(found), holds=found >= minimum)
    yield compare("QE vendor", _VENDORS[policy.root_of_trust.product], quote.qe_vendor_id)
    if expected.qe_vendor_id is not None:
        yield compare("QE vendor", expected.qe_vendor_id, quote.qe_vendor_id)


def _measurements(quote: TdxQuote, policy: TdxPolicy) -> Iterator[Check]:
    expected, found = policy.body, quote.body.mr_td
    if expected.mr_td is not None:
        yield compare("MRTD", expected.mr_td, found)
    if expected.any_mr_td:
        wanted = " or ".join(map(shown, expected.any_mr_td))
        yield judge("MRTD", wanted, shown(found), holds=found in expected.any_mr_td)
    registers = expected.rtmrs or (None,) * 4
    for number, (wanted_register, register) in enumerate(zip(registers, quote.body.rtmrs, strict=True)):
        yield compare(f"RTMR{number}", wanted_register, register)


def _always(quote: TdxQuote, policy: TdxPolicy) -> Iterator[Check]:
    """What holds for every domain, whatever the policy says."""
    xfam = int.from_bytes(quote.body.xfam, "little")
    holds = xfam & _XFAM_ALWAYS == _XFAM_ALWAYS and not xfam & ~_XFAM_KNOWN
    yield judge("extended features' bits", "bits 0 and 1, no unknown ones", f"{xfam:#x}", holds=holds)
    attributes = int.from_bytes(quote.body.td_attributes, "little")
    yield judge(
        "domain attributes' bits",
        "no unknown ones",
        f"{attributes:#x}",
        holds=not attributes & ~_ATTRIBUTES_KNOWN,
    )
    pinned = int.from_bytes(policy.body.td_attributes or b"", "little")
    is_allowed = bool(pinned & DEBUG_BIT) and not policy.body.enable_td_debug_check
    found = "on" if quote.body.is_debuggable else "off"
    if is_allowed:
        yield not_asked("debugging by the host", found)
    else:
        yield judge("debugging by the host", "off", found, holds=not quote.body.is_debuggable)


def _tcb_svn(quote: TdxQuote, policy: TdxPolicy) -> Iterator[Check]:
    """One check of all components when they hold, else one of each that does not."""
    minimum, found = policy.body.minimum_tee_tcb_svn, quote.body.tee_tcb_svn
    if minimum is None:
        yield not_asked("TEE TCB SVN", found.hex())
        return
    below = [index for index in range(len(minimum)) if found[index] < minimum[index]]
    for index in below:
        yield fail(f"TEE TCB SVN, component {index}", f"at least {minimum[index]}", str(found[index]))
    if not below:
        yield judge("TEE TCB SVN", f"at least {minimum.hex()}", found.hex(), holds=True)
