"""The policy that a TDX quote meets: what participants pin after they have looked at it.

Source: attestation.md section 5.1 (the sample for TDX) and 4.5 (its fields).
"""

from __future__ import annotations

import base64
from typing import Any

from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._policy_values import TdxVendor
from prism_iac.attestation.policy._canonical import canonical_policy
from prism_iac.attestation.tdx._body import DEBUG_BIT
from prism_iac.attestation.tdx._quote import SIMULATED_QE_VENDOR, TdxQuote

__all__ = ["policy_from_quote"]


def policy_from_quote(quote: TdxQuote) -> PolicyDocument:
    """The policy file that pins what a quote claims: domain, module, platform and versions (section 4.5).

    It never allows debugging: a quote of a domain that may be debugged does not meet its own policy.
    """
    body = quote.body
    attributes = int.from_bytes(body.td_attributes, "little") & ~DEBUG_BIT
    is_simulated = quote.qe_vendor_id == SIMULATED_QE_VENDOR
    root: dict[str, Any] = (
        {"product": TdxVendor.SIMULATED.value} if is_simulated else {"checkCrl": True, "getCollateral": True}
    )
    expectations = {
        "enableTdDebugCheck": True,
        "minimumTeeTcbSvn": _b64(body.tee_tcb_svn),
        "mrConfigId": _b64(body.mr_config_id),
        "mrOwner": _b64(body.mr_owner),
        "mrOwnerConfig": _b64(body.mr_owner_config),
        "mrSeam": _b64(body.mr_seam),
        "mrTd": _b64(body.mr_td),
        "rtmrs": [_b64(register) for register in body.rtmrs],
        "tdAttributes": _b64(attributes.to_bytes(len(body.td_attributes), "little")),
        "xfam": _b64(body.xfam),
    }
    header = {
        "minimumPceSvn": quote.pce_svn,
        "minimumQeSvn": quote.qe_svn,
        "qeVendorId": _b64(quote.qe_vendor_id),
    }
    policy = {"headerPolicy": header, "tdQuoteBodyPolicy": expectations}
    return canonical_policy(PolicyDocument.from_values({"policy": policy, "rootOfTrust": root}))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
