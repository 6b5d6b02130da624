"""The policy that the reference values of a CoRIM mean.

Each value is put where the rest of the policy does not say it yet; what has no place is refused, for the policy
would expect less than the CoRIM. Source: attestation.md sections 5.2 (the forms of `cocos-cli`) and 5.4 (the
profile of AMD's draft).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from prism_iac.attestation._cbor import Tagged
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation.policy._canonical import canonical_policy
from prism_iac.attestation.policy._corim import Corim, MeasuredElement
from prism_iac.attestation.policy._elements import MEASUREMENT, SNP_ELEMENTS, SVN, digest_of, svn_of
from prism_iac.attestation.policy._names import (
    AMD_PROFILE,
    BY_CHIP,
    LAUNCH_KEY,
    PRODUCT_INSTANCES,
    REGISTER_KEYS,
    REMAINDER_KEY,
    CorimNames,
    compact,
)
from prism_iac.attestation.policy._refusal import refusal

__all__ = ["from_corim", "is_profiled"]

_IS_TDX: Final = {"snp": False, "azure": False, "gcp": False, "tdx": True}
"""How the names of `cocos-cli` begin, and whether that is about TDX."""

_ORDERS: Final = {1: (0,), 2: (0, 1), 5: (0, 2, 3, 4, 5), 6: (0, 1, 2, 3, 4, 5)}
"""Which registers `cocos-cli` means by so many measurements under random keys."""

_MR_TD, _MR_SEAM, _FIRST_RTMR = 0, 1, 2


def is_profiled(corim: Corim) -> bool:
    """Whether a CoRIM follows a profile, or names its class as AMD's does (attestation.md section 5.4)."""
    return corim.profile is not None or isinstance(corim.environment.class_id, bytes)


def from_corim(corim: Corim) -> tuple[PolicyDocument, CorimNames]:
    """The policy that reference values mean, in canonical form, and their names.

    Source: attestation.md sections 5.2 and 5.4.

    Raises:
        InvalidInput: A part is not understood, so that the policy would expect less than the CoRIM does.
    """
    values = _remainder(element for element in corim.elements if element.key == REMAINDER_KEY)
    elements = [element for element in corim.elements if element.key != REMAINDER_KEY]
    class_id, launch_key = corim.environment.class_id, None
    if is_profiled(corim):
        _read_profile(values, corim, elements)
    elif _is_tdx(corim.corim_id):
        if corim.environment.instance is not None:
            raise refusal("the environment has an instance, and policies for TDX know none")
        _read_registers(_section(values, "policy", "tdQuoteBodyPolicy"), elements)
    else:
        _read_product(values, corim.environment.instance)
        launch_key = _read_launch(_section(values, "policy"), elements)
    names = CorimNames(
        corim.corim_id, corim.tag_id, class_id if isinstance(class_id, UUID) else None, launch_key
    )
    return canonical_policy(PolicyDocument.parse(compact(values))), names


def _is_tdx(corim_id: str) -> bool:
    prefix = corim_id.partition("-")[0]
    if prefix not in _IS_TDX:
        raise refusal(
            "the name of the CoRIM does not say what it is about",
            f"Let it begin with one of {', '.join(f'{known}-' for known in _IS_TDX)}.",
        )
    return _IS_TDX[prefix]


def _remainder(elements: Iterable[MeasuredElement]) -> dict[str, Any]:
    match list(elements):
        case []:
            return {}
        case [MeasuredElement(values=values)] if list(values) == [4]:
            match values[4]:
                case Tagged(tag=560, value=bytes() as text):
                    return PolicyDocument.parse(text).values()
    raise refusal("what the CoRIM has beside its measurements cannot be read, or stands there twice")


def _section(values: dict[str, Any], *path: str) -> dict[str, Any]:
    for name in path:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise refusal(f"`{name}` is not an object")
    return values


def _set(section: dict[str, Any], field: str, value: Any) -> None:
    if field in section:
        raise refusal(f"{field} stands in the CoRIM twice")
    section[field] = value


def _put(policy: dict[str, Any], elements: Iterable[MeasuredElement]) -> None:
    table = {element.key: element for element in SNP_ELEMENTS}
    for element in elements:
        known = table.get(element.key) if isinstance(element.key, int) else None
        if known is None:
            raise refusal(f"the CoRIM has a measurement that is not known here, {element.key}")
        _set(policy, known.field, known.read(element.values))


def _read_profile(values: dict[str, Any], corim: Corim, elements: Sequence[MeasuredElement]) -> None:
    if corim.profile not in (None, AMD_PROFILE):
        raise refusal("the CoRIM follows a profile that is not known here", f"Only {AMD_PROFILE} is.")
    if corim.environment.class_id != BY_CHIP:
        raise refusal(
            "the CoRIM is not about guests whose reports a chip's own key signs",
            "Policy files cannot name a provider's key; give a CoRIM of the class 1.3.6.1.4.1.3704.3.1.",
        )
    policy = _section(values, "policy")
    _put(policy, elements)
    match corim.environment.instance:
        case None:
            return
        case bytes() as chip:
            chip_id = base64.b64encode(chip).decode("ascii")
            if policy.setdefault("chipId", chip_id) != chip_id:
                raise refusal("the CoRIM names two chips")
        case _:
            raise refusal("the instance of the environment is no chip ID")


def _read_product(values: dict[str, Any], instance: UUID | bytes | None) -> None:
    if instance is None:
        return
    name = next((name for name, known in PRODUCT_INSTANCES.items() if known == instance), None)
    if name is None:
        raise refusal("the instance of the environment is no product that is known here")
    _set(_section(values, "policy", "product"), "name", name)


def _read_launch(policy: dict[str, Any], elements: Sequence[MeasuredElement]) -> UUID | None:
    """Puts all of them into a policy; gives the key of the launch measurement if it is a foreign one."""
    launches = [element for element in elements if isinstance(element.key, UUID)]
    if len(launches) > 1:
        raise refusal("the CoRIM has several launch measurements; a policy has one")
    foreign: UUID | None = None
    for launch in launches:
        found = dict(launch.values)
        if SVN in found:
            _set(policy, "minimumGuestSvn", svn_of(found.pop(SVN), is_minimum=False))
        if found:
            _set(policy, MEASUREMENT.field, MEASUREMENT.read(found))
        if isinstance(launch.key, UUID) and launch.key != LAUNCH_KEY:
            foreign = launch.key
    _put(policy, (element for element in elements if not isinstance(element.key, UUID)))
    return foreign


def _read_registers(body: dict[str, Any], elements: Sequence[MeasuredElement]) -> None:
    registers: dict[int, str] = {}
    for place, element in zip(_places(elements), elements, strict=True):
        if place in registers:
            raise refusal("a register stands in the CoRIM twice")
        if SVN in element.values:
            raise refusal("policies for TDX know no version beside a register", "Make it without `--svn`.")
        registers[place] = digest_of(element.values)
    for place, field in ((_MR_TD, "mrTd"), (_MR_SEAM, "mrSeam")):
        if place in registers:
            _set(body, field, registers[place])
    rtmrs = [registers.get(place, "") for place in range(_FIRST_RTMR, len(REGISTER_KEYS))]
    if any(rtmrs):
        _set(body, "rtmrs", rtmrs)


def _places(elements: Sequence[MeasuredElement]) -> Sequence[int]:
    """Which register each measurement is: by its key, or by its place where all keys are foreign."""
    known = [REGISTER_KEYS.index(element.key) for element in elements if element.key in REGISTER_KEYS]
    if len(known) == len(elements):
        return known
    order = _ORDERS.get(len(elements))
    if known or order is None or not all(isinstance(element.key, UUID) for element in elements):
        raise refusal(
            "the measurements of the CoRIM do not tell which register each is",
            "Give MRTD alone or with MRSEAM, and all four RTMRs or none, in this order.",
        )
    return order
