"""From what is declared of a policy to the document that is written."""

from __future__ import annotations

import base64
from typing import Final

from prism_iac.attestation._acceptance import WARNABLE
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import nearest, shown
from prism_iac.model.resources import PolicySettings

__all__ = ["declared_document", "with_settings"]

_RESERVED: Final = "reserved"


def declared_document(policy: PolicySettings) -> PolicyDocument:
    """The document of a policy as far as it is declared; what a VM adds is not in it.

    Raises:
        InvalidInput: A setting does not fit to the document.
    """
    return with_settings(PolicyDocument.from_values(policy.expectations or {}), policy)


def with_settings(document: PolicyDocument, policy: PolicySettings) -> PolicyDocument:
    """A document with what is declared beside it; to the byte the same when nothing is.

    Raises:
        InvalidInput: A setting does not fit to the document.
    """
    edited = document
    if policy.measurement is not None:
        edited = edited.with_measurement(bytes.fromhex(policy.measurement))
    if policy.accept:
        edited = _accepting(edited, policy.accept)
    if policy.minimum_tcb is not None:
        edited = edited.with_fields("policy", {"minimum_tcb": _tcb(edited, policy.minimum_tcb)})
    if policy.warn:
        edited = _warning(edited, policy.warn)
    return document if edited is document else PolicyDocument.from_values(edited.values())


def _accepting(document: PolicyDocument, measurements: tuple[str, ...]) -> PolicyDocument:
    besides = [base64.b64encode(bytes.fromhex(item)).decode("ascii") for item in measurements]
    if not document.is_tdx:
        return document.with_fields("acceptance", {"measurements": besides})
    own = document.tdx_policy().body.mr_td
    values: list[str] = [*([base64.b64encode(own).decode("ascii")] if own else []), *besides]
    # Both fields must hold where both are there, so the one must go.
    return document.with_fields(("policy", "td_quote_body_policy"), {"mr_td": None, "any_mr_td": values})


def _warning(document: PolicyDocument, days: dict[str, str]) -> PolicyDocument:
    if document.is_tdx:
        raise _refusal("warn", "a policy for TDX is enforced as a whole", "Remove it.")
    for field in days:
        if field not in WARNABLE:
            raise _refusal(f"warn.{field}", "nothing of this name may only warn", nearest(field, WARNABLE))
    return document.with_fields("acceptance", {"warn_until": days})


def _tcb(document: PolicyDocument, wanted: dict[str, int]) -> str:
    product = None if document.is_tdx else document.snp_policy().product
    if product is None:
        raise _refusal(
            "minimum_tcb",
            "what the parts of a TCB are depends on the product, and the expectations name none",
            "Add `rootOfTrust: {productLine: Milan}` to the expectations.",
        )
    parts = _parts_of(product)
    tcb = bytearray(len(product.tcb_parts))
    for name, number in wanted.items():
        if name not in parts:
            raise _refusal(
                f"minimum_tcb.{name}", f"{product} has no part {shown(name)}", nearest(name, parts)
            )
        if not 0 <= number <= 0xFF:  # noqa: PLR2004  # a part is one byte
            raise _refusal(f"minimum_tcb.{name}", f"{number} is none of 0 to 255", "Write such a number.")
        tcb[parts[name]] = number
    return str(Tcb(bytes(tcb)).to_int())


def _parts_of(product: Product) -> dict[str, int]:
    return {
        name.replace(" ", "_").lower(): index
        for index, name in enumerate(product.tcb_parts)
        if name != _RESERVED
    }


def _refusal(path: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path=path, message=message, fix=fix)])
