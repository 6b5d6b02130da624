"""Each field of a TDX quote made worse than it is.

Source: attestation.md sections 4.1 and 4.2 (the fields) and 4.5 (what is worse, and which field of policy files
speaks of it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from prism_iac.attestation.policy._worse_report import one_bit_flipped
from prism_iac.attestation.tdx._quote import TdxQuote

__all__ = ["WorseQuote", "worse_quotes"]


@dataclass(frozen=True, slots=True)
class WorseQuote:
    """A quote with one thing changed; `field` is that of policy files, empty when there is none."""

    claim: str
    change: str
    field: str
    quote: TdxQuote


_BODY: Final = "policy.tdQuoteBodyPolicy."
_HEADER: Final = "policy.headerPolicy."

_VERBATIM: Final = {
    "mr_td": ("MRTD", f"{_BODY}mrTd"),
    "rtmr0": ("RTMR0", f"{_BODY}rtmrs"),
    "rtmr1": ("RTMR1", f"{_BODY}rtmrs"),
    "rtmr2": ("RTMR2", f"{_BODY}rtmrs"),
    "rtmr3": ("RTMR3", f"{_BODY}rtmrs"),
    "mr_seam": ("TDX module's measurement", f"{_BODY}mrSeam"),
    "mr_config_id": ("configuration ID", f"{_BODY}mrConfigId"),
    "mr_owner": ("owner", f"{_BODY}mrOwner"),
    "mr_owner_config": ("owner's configuration", f"{_BODY}mrOwnerConfig"),
    "report_data": ("report data", f"{_BODY}reportData"),
    "mr_signer_seam": ("TDX module's signer", ""),
    "seam_attributes": ("TDX module's attributes", ""),
}
"""The fields that are bytes and are compared whole."""

_ATTRIBUTES: Final = {0: "debugging by the host", 28: "SEPT_VE_DISABLE", 30: "protection keys", 63: "PERFMON"}
_XFAM_AVX_512: Final = 5


def worse_quotes(quote: TdxQuote) -> Iterator[WorseQuote]:
    """Every quote that is worse in one thing; none for what is as bad as can be (attestation.md section 4.5)."""
    for field, (claim, policy_field) in _VERBATIM.items():
        flipped = one_bit_flipped(getattr(quote.body, field))
        yield WorseQuote(claim, "one bit flipped", policy_field, _with_body(quote, **{field: flipped}))
    for bit, meaning in _ATTRIBUTES.items():
        changed = _flipped(quote.body.td_attributes, bit)
        told = f"{meaning} flipped"
        yield WorseQuote(
            "domain attributes", told, f"{_BODY}tdAttributes", _with_body(quote, td_attributes=changed)
        )
    changed = _flipped(quote.body.xfam, _XFAM_AVX_512)
    yield WorseQuote("extended features", "AVX-512 flipped", f"{_BODY}xfam", _with_body(quote, xfam=changed))
    for index, number in enumerate(quote.body.tee_tcb_svn):
        if number:
            lower = bytearray(quote.body.tee_tcb_svn)
            lower[index] -= 1
            worse = _with_body(quote, tee_tcb_svn=bytes(lower))
            yield WorseQuote("TEE TCB SVN", f"component {index} one lower", f"{_BODY}minimumTeeTcbSvn", worse)
    if quote.qe_svn:
        lower_qe = replace(quote, qe_svn=quote.qe_svn - 1)
        yield WorseQuote("QE SVN", "one lower", f"{_HEADER}minimumQeSvn", lower_qe)
    if quote.pce_svn:
        lower_pce = replace(quote, pce_svn=quote.pce_svn - 1)
        yield WorseQuote("PCE SVN", "one lower", f"{_HEADER}minimumPceSvn", lower_pce)
    vendor = replace(quote, qe_vendor_id=one_bit_flipped(quote.qe_vendor_id))
    yield WorseQuote("QE vendor", "one bit flipped", f"{_HEADER}qeVendorId", vendor)


def _with_body(quote: TdxQuote, **changed: Any) -> TdxQuote:
    return replace(quote, body=replace(quote.body, **changed))


def _flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "little") ^ 1 << bit).to_bytes(len(value), "little")
