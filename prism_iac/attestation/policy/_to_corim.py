"""A policy as the reference values of a CoRIM; nothing is lost.

What is written is taken out of the canonical values; what remains travels as JSON in one more measurement.
Source: attestation.md sections 5.2 (what `cocos-cli` writes and reads) and 5.4 (the profile of AMD's draft).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from prism_iac.attestation._cbor import Tagged
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation.policy._canonical import canonical_policy
from prism_iac.attestation.policy._corim import Corim, Environment, MeasuredElement
from prism_iac.attestation.policy._elements import SNP_ELEMENTS, Element, exact_svn, with_digest
from prism_iac.attestation.policy._names import (
    AMD_PROFILE,
    BY_CHIP,
    LAUNCH_KEY,
    PRODUCT_INSTANCES,
    REGISTER_KEYS,
    REMAINDER_KEY,
    CorimNames,
    Platform,
    compact,
    names_of,
)
from prism_iac.attestation.policy._refusal import refusal

__all__ = ["to_corim"]


def to_corim(document: PolicyDocument, *, names: CorimNames | None = None, is_profile: bool = False) -> Corim:
    """The reference values of a policy (attestation.md sections 5.2 and 5.4).

    Args:
        document: The policy.
        names: The file's; made from what the policy says when there are none.
        is_profile: Follow the profile of AMD's draft, which `cocos-cli` does not read.

    Raises:
        InvalidInput: A field cannot be read, the policy says nothing, or it is for TDX and the profile is not.
    """
    if is_profile and document.is_tdx:
        raise refusal("AMD's profile is for SEV-SNP, and the policy is for TDX", "Write it as `corim`.")
    values = canonical_policy(document).values()
    platform = Platform.of(is_tdx=document.is_tdx)
    names = names or names_of(values, platform)
    class_id: UUID | bytes = BY_CHIP if is_profile else names.class_id or platform.class_id
    instance: UUID | bytes | None = None
    if document.is_tdx:
        elements = _registers(values)
    elif is_profile:
        instance = document.snp_policy().policy.chip_id
        elements = _take(values, SNP_ELEMENTS)
    else:
        instance = _take_product(values)
        elements = _launch(values, names.launch_key or LAUNCH_KEY)
        elements += _take(values, (element for element in SNP_ELEMENTS if element.is_cocos))
    elements += _remainder(values)
    if not elements:
        raise refusal("the policy expects nothing, so there is nothing to write", "Give it a measurement.")
    profile = AMD_PROFILE if is_profile else None
    return Corim(names.corim_id, names.tag_id, Environment(class_id, instance), tuple(elements), profile)


def _take(values: dict[str, Any], table: Iterable[Element]) -> list[MeasuredElement]:
    policy = values.get("policy", {})
    return [
        MeasuredElement(element.key, element.write(policy.pop(element.field)))
        for element in table
        if element.field in policy
    ]


def _launch(values: dict[str, Any], key: UUID) -> list[MeasuredElement]:
    """The launch measurement with the guest's version beside it, as `cocos-cli` has them."""
    policy = values.get("policy", {})
    launch: dict[int, Any] = {}
    if "minimumGuestSvn" in policy:
        launch |= exact_svn(policy.pop("minimumGuestSvn"))
    if "measurement" in policy:
        launch |= with_digest(policy.pop("measurement"))
    return [MeasuredElement(key, launch)] if launch else []


def _registers(values: dict[str, Any]) -> list[MeasuredElement]:
    body = values["policy"].get("tdQuoteBodyPolicy", {})
    registers = (body.pop("mrTd", ""), body.pop("mrSeam", ""), *body.pop("rtmrs", ("",) * 4))
    return [
        MeasuredElement(key, with_digest(value))
        for key, value in zip(REGISTER_KEYS, registers, strict=True)
        if value
    ]


def _take_product(values: dict[str, Any]) -> UUID | None:
    product = values.get("policy", {}).get("product", {})
    return PRODUCT_INSTANCES[product.pop("name")] if "name" in product else None


def _remainder(values: dict[str, Any]) -> list[MeasuredElement]:
    for section in ("product", "tdQuoteBodyPolicy"):
        _drop_empty(values.get("policy", {}), section)
    _drop_empty(values, "policy")
    banks = values.get("pcr_values", {})
    for bank in ("sha1", "sha256", "sha384"):
        _drop_empty(banks, bank)
    _drop_empty(values, "pcr_values")
    return [MeasuredElement(REMAINDER_KEY, {4: Tagged(560, compact(values))})] if values else []


def _drop_empty(values: dict[str, Any], key: str) -> None:
    if not values.get(key):
        values.pop(key, None)
