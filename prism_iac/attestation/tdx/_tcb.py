"""Whether Intel's documents call the platform, the TDX module and the quoting enclave up to date.

Steps as in attestation.md section 4.4: (9) the documents are signed and current; (10) they are of this
platform; (11) the module's signer and attributes; (12) the platform's TCB level; (13) the module's; (14) the
quoting enclave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from prism_iac.attestation._certificates import check_dates
from prism_iac.attestation._check import Check, compare, fail, judge, not_asked
from prism_iac.attestation._collateral import Collateral
from prism_iac.attestation._revocation import check_revocation
from prism_iac.attestation._tdx_policy import TdxRootOfTrust
from prism_iac.attestation.tdx._body import TdReport
from prism_iac.attestation.tdx._chain import ChainResult, names_of
from prism_iac.attestation.tdx._documents import QeIdentity, Signed, SvnLevel, TcbInfo, TcbLevel, TcbStatus
from prism_iac.attestation.tdx._enclave import EnclaveReport
from prism_iac.attestation.tdx._pck import PckClaims
from prism_iac.attestation.tdx._quote import TdxQuote
from prism_iac.attestation.tdx._signature import is_signed_by
from prism_iac.pki import common_name_of, is_issued_by, public_key_of

__all__ = ["check_tcb"]

_NONE_MATCHES: Final = "no level"


@dataclass(frozen=True, slots=True)
class _Given:
    expected: TdxRootOfTrust
    root: x509.Certificate
    collateral: Collateral
    now: datetime


def check_tcb(
    quote: TdxQuote, chain: ChainResult, expected: TdxRootOfTrust, collateral: Collateral, now: datetime
) -> Iterator[Check]:
    """Steps 9 to 14 of attestation.md section 4.4; not asked without documents, unless the policy asks."""
    pck, root = chain.pck, chain.root
    if pck is None or root is None:
        return  # the chain has told why
    if not (expected.get_collateral or collateral.tcb_infos or collateral.qe_identities):
        yield not_asked("TCB info", "none at hand")
        yield not_asked("QE identity", "none at hand")
        return
    given = _Given(expected, root, collateral, now)
    infos = (info for info in collateral.tcb_infos if info.value.fmspc == pck.fmspc)
    info = max(infos, key=_issue_date, default=None)
    yield from _document("TCB info", f"one for the FMSPC {pck.fmspc.hex()}", info, given)
    if info is not None:
        yield from _platform(quote.body, pck, info.value)
    identity = max(collateral.qe_identities, key=_issue_date, default=None)
    yield from _document("QE identity", "one of the quoting enclave", identity, given)
    if identity is not None:
        yield from _enclave(quote.qe_report, identity.value)


def _issue_date(document: Signed[TcbInfo | QeIdentity]) -> datetime:
    return document.value.issue_date


def _document(
    name: str, wanted: str, document: Signed[TcbInfo | QeIdentity] | None, given: _Given
) -> Iterator[Check]:
    if document is None:
        yield fail(name, wanted, "none at hand")
        return
    signer_name = names_of(given.expected.product).tcb_signing
    signers = [
        item
        for item in given.collateral.certificates
        if common_name_of(item) == signer_name and is_issued_by(item, given.root)
    ]
    signer = next(
        (item for item in signers if is_signed_by(public_key_of(item), document.signature, document.raw)),
        None,
    )
    found = "one that is not" if signer is None else f"one by {signer_name}"
    yield judge(f"signature of the {name}", f"one by {signer_name}", found, holds=signer is not None)
    if signer is not None:
        yield from check_dates([signer], given.now)
        yield check_revocation(
            [signer],
            given.root,
            given.collateral.crls,
            now=given.now,
            is_asked=given.expected.check_crl,
        )
    begin, end = document.value.issue_date, document.value.next_update
    yield judge(
        f"date for the {name}",
        f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}",
        f"{given.now:%Y-%m-%d}",
        holds=document.is_current(given.now),
    )


def _platform(body: TdReport, pck: PckClaims, info: TcbInfo) -> Iterator[Check]:
    yield compare("PCE ID", info.pce_id, pck.pce_id)  # (10)
    module = info.tdx_module  # (11)
    yield compare("TDX module's signer", module.mr_signer, body.mr_signer_seam)
    attributes = _masked(body.seam_attributes, module.attributes_mask)
    yield compare("TDX module's attributes", module.attributes, attributes)
    level = next((level for level in info.tcb_levels if _reaches(body, pck, level)), None)  # (12)
    yield _status("TCB of the platform", level.tcb_status if level else None)
    version, svn = body.tee_tcb_svn[1], body.tee_tcb_svn[0]
    if version:  # (13)
        name = f"TDX_{version:02x}"
        levels = (
            level
            for identity in info.tdx_module_identities
            if identity.id == name
            for level in identity.tcb_levels
        )
        yield _status(f"TCB of the module {name}", _status_of(levels, svn))


def _reaches(body: TdReport, pck: PckClaims, level: TcbLevel) -> bool:
    # The module's version and SVN have levels of their own from version 1 on.
    skipped = 2 if body.tee_tcb_svn[1] else 0
    return (
        all(have >= need.svn for have, need in zip(pck.components, level.tcb.sgx, strict=True))
        and pck.pce_svn >= level.tcb.pce_svn
        and all(
            have >= need.svn
            for have, need in tuple(zip(body.tee_tcb_svn, level.tcb.tdx, strict=True))[skipped:]
        )
    )


def _enclave(report: EnclaveReport, identity: QeIdentity) -> Iterator[Check]:
    misc_select = report.misc_select.to_bytes(4, "little")  # (14)
    # The service writes MISCSELECT as its bytes stand in memory.
    yield compare("QE MISCSELECT", identity.misc_select, _masked(misc_select, identity.misc_select_mask))
    yield compare("QE attributes", identity.attributes, _masked(report.attributes, identity.attributes_mask))
    yield compare("QE signer", identity.mr_signer, report.mr_signer)
    wanted, found = identity.isv_prod_id, report.isv_prod_id
    yield judge("QE product", str(wanted), str(found), holds=wanted == found)
    yield _status("TCB of the quoting enclave", _status_of(identity.tcb_levels, report.isv_svn))


def _status_of(levels: Iterable[SvnLevel], svn: int) -> TcbStatus | None:
    return next((level.tcb_status for level in levels if level.tcb.isv_svn <= svn), None)


def _status(claim: str, found: TcbStatus | None) -> Check:
    return judge(claim, TcbStatus.UP_TO_DATE, found or _NONE_MATCHES, holds=found is TcbStatus.UP_TO_DATE)


def _masked(value: bytes, mask: bytes) -> bytes:
    return bytes(octet & bits for octet, bits in zip(value, mask, strict=True))
