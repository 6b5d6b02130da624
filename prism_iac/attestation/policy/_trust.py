"""What a change of a policy does to trust: field by field, whether it accepts less or more than before.

Of two values of a field, one is looser when it accepts all that the other accepts, and more. So the order of each
field is told by one question, whether a value accepts everything that another does; `_SNP` and `_TDX` say which
question each field is asked. Source: attestation.md sections 3.2 to 3.7 and 4.5 for what values accept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from prism_iac.attestation._check import shown
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._snp_policy import PolicySection, SnpPolicy
from prism_iac.attestation._tdx_policy import TdxPolicy
from prism_iac.attestation.snp._guest_policy import (
    GUEST_AT_LEAST,
    GUEST_AT_MOST,
    PLATFORM_AT_LEAST,
    PLATFORM_AT_MOST,
    BitRule,
)
from prism_iac.attestation.snp._tcb import Tcb

__all__ = ["Trust", "TrustChange", "compare_trust"]


class Trust(StrEnum):
    """What a change does to trust."""

    TIGHTER = "tighter"
    """Some evidence that was accepted is not any more."""
    LOOSER = "looser"
    """Some evidence is accepted that was not."""
    INCOMPARABLE = "incomparable"
    """Both; a new measurement in place of the old one is such a change."""


@dataclass(frozen=True, slots=True)
class TrustChange:
    """One field of a policy that changed.

    Attributes:
        field: Its name, in snake case.
        trust: What the change does.
        old: What was expected, for people.
        new: What is expected, for people.
    """

    field: str
    trust: Trust
    old: str
    new: str


Accepts = Callable[[Any, Any], bool]
"""Whether the first value accepts all that the second does: a preorder. None is a field that is not there."""


def compare_trust(old: PolicyDocument, new: PolicyDocument) -> tuple[TrustChange, ...]:
    """Every field that differs between two policies, by name (attestation.md sections 3.2 and 4.5).

    Raises:
        InvalidInput: A policy cannot be read.
    """
    before, after = _claims(old), _claims(new)
    found = []
    for field in sorted({*before, *after}):
        accepts = (before.get(field) or after[field]).accepts
        one, other = (claims[field].value if field in claims else None for claims in (before, after))
        if (trust := classify(accepts, one, other)) is not None:
            found.append(TrustChange(field, trust, _told(one), _told(other)))
    return tuple(found)


def classify(accepts: Accepts, old: Any, new: Any) -> Trust | None:
    """What a change of one value does; None where both accept the same."""
    match accepts(new, old), accepts(old, new):
        case True, True:
            return None
        case True, False:
            return Trust.LOOSER
        case False, True:
            return Trust.TIGHTER
        case _:
            return Trust.INCOMPARABLE


def _equal(one: Any, other: Any) -> bool:
    """Exactly this value; anything where there is none."""
    return one is None or one == other


def _identical(one: Any, other: Any) -> bool:
    """Nobody here knows what the value accepts, so it says nothing of another."""
    return bool(one == other)


def _any_of(one: frozenset[Any] | None, other: frozenset[Any] | None) -> bool:
    """One of these values; anything where no list is."""
    return one is None or (other is not None and one >= other)


def _trusted(one: frozenset[Any] | None, other: frozenset[Any] | None) -> bool:
    """Signed by one of these keys; by nobody's where there are none."""
    return (one or frozenset()) >= (other or frozenset())


def _at_least(one: Any, other: Any) -> bool:
    """This value or a higher one; anything where there is none."""
    return one is None or (other is not None and one <= other) or not _bare(one)


def _bare(least: Any) -> bool:
    """Whether a least value keeps anything out."""
    return any(least) if isinstance(least, tuple) else bool(least)


def _each_at_least(one: bytes | None, other: bytes | None) -> bool:
    """These parts or higher ones, each by itself."""
    return all(mine <= (other or bytes(16))[index] for index, mine in enumerate(one or b""))


def _demanded(one: bool | None, other: bool | None) -> bool:  # noqa: FBT001  # the values of a field
    """What must hold when it is set."""
    return not one or bool(other)


def _permitted(one: bool | None, other: bool | None) -> bool:  # noqa: FBT001  # the values of a field
    """What may be when it is set."""
    return bool(one) or not other


def _bits(at_most: tuple[BitRule, ...], at_least: tuple[BitRule, ...]) -> Accepts:
    """Some bits may be set only where the value has them, others must be set where it has them."""
    may = sum(1 << rule.bit for rule in at_most)
    must = sum(1 << rule.bit for rule in at_least)

    def accepts(one: int | None, other: int | None) -> bool:
        if one is None or other is None:
            return one is None
        return not other & may & ~one and not one & must & ~other

    return accepts


_guest_bits: Final = _bits(GUEST_AT_MOST, GUEST_AT_LEAST)


def _guest_policy(one: int | None, other: int | None) -> bool:
    """The bits, and at least this version of the interface (attestation.md section 3.3)."""
    if one is None or other is None:
        return one is None
    return _guest_bits(one, other) and _abi(one) <= _abi(other)


def _abi(policy: int) -> tuple[int, int]:
    return policy >> 8 & 0xFF, policy & 0xFF


def _warned(one: Mapping[str, date] | None, other: Mapping[str, date] | None) -> bool:
    """Fields that are not enforced until a day: the longer, the looser."""
    mine = one or {}
    return all(field in mine and day <= mine[field] for field, day in (other or {}).items())


_SNP: Final[Mapping[str, Accepts]] = {
    "minimum_guest_svn": _at_least,
    "policy": _guest_policy,
    "family_id": _equal,
    "image_id": _equal,
    "vmpl": _equal,
    "minimum_tcb": _each_at_least,
    "minimum_launch_tcb": _each_at_least,
    "platform_info": _bits(PLATFORM_AT_MOST, PLATFORM_AT_LEAST),
    "require_author_key": _demanded,
    "report_data": _equal,
    "measurement": _any_of,
    "host_data": _equal,
    "report_id": _equal,
    "report_id_ma": _equal,
    "chip_id": _equal,
    "minimum_build": _at_least,
    "minimum_version": _at_least,
    "permit_provisional_firmware": _permitted,
    "require_id_block": _demanded,
    "trusted_author_keys": _trusted,
    "trusted_author_key_hashes": _trusted,
    "trusted_id_keys": _trusted,
    "trusted_id_key_hashes": _trusted,
    "product": _equal,
    "stepping": _equal,
    "machine_stepping": _equal,
    "check_crl": _demanded,
    "disallow_network": _identical,
    "cabundle_paths": _identical,
    "cabundles": _identical,
    "warn": _warned,
}
"""The order of each field of a policy for SEV-SNP; that of each register is equality."""

_TDX: Final[Mapping[str, Accepts]] = {
    "minimum_qe_svn": _at_least,
    "minimum_pce_svn": _at_least,
    "qe_vendor_id": _equal,
    "minimum_tee_tcb_svn": _each_at_least,
    "mr_seam": _equal,
    "td_attributes": _equal,
    "xfam": _equal,
    "measurement": _any_of,
    "mr_config_id": _equal,
    "mr_owner": _equal,
    "mr_owner_config": _equal,
    "report_data": _equal,
    "enable_td_debug_check": _demanded,
    "product": _equal,
    "check_crl": _demanded,
    "get_collateral": _demanded,
    "cabundle_paths": _identical,
    "cabundles": _identical,
}
"""The order of each field of a policy for TDX; that of each run-time register is equality."""


@dataclass(frozen=True, slots=True)
class _Claim:
    accepts: Accepts
    value: Any


def _claims(document: PolicyDocument) -> dict[str, _Claim]:
    platform = {"platform": _Claim(_equal, "TDX" if document.is_tdx else "SEV-SNP")}
    read = _tdx_values(document.tdx_policy()) if document.is_tdx else _snp_values(document.snp_policy())
    orders = _TDX if document.is_tdx else _SNP
    return platform | {name: _Claim(orders.get(name, _order_of(name)), value) for name, value in read}


def _order_of(name: str) -> Accepts:
    return _equal if name.startswith(("pcr_values.", "rtmrs[")) else _identical


def _snp_values(policy: SnpPolicy) -> Iterator[tuple[str, Any]]:
    expected, root, acceptance = policy.policy, policy.root_of_trust, policy.acceptance
    for name in type(expected).model_fields:
        if name not in ("measurement", "product"):
            yield name, _comparable(getattr(expected, name))
    yield "measurement", frozenset({expected.measurement, *acceptance.measurements} - {None}) or None
    yield "product", policy.product
    yield "stepping", expected.product.stepping
    yield "machine_stepping", expected.product.machine_stepping
    for name in ("check_crl", "disallow_network", "cabundle_paths", "cabundles"):
        yield name, _comparable(getattr(root, name))
    yield "warn", acceptance.warn_until
    for bank in type(policy.pcr_values).model_fields:
        for number, digest in getattr(policy.pcr_values, bank).items():
            yield f"pcr_values.{bank}.{number}", digest
    yield from _unknown(policy)


def _tdx_values(policy: TdxPolicy) -> Iterator[tuple[str, Any]]:
    body, root = policy.body, policy.root_of_trust
    for section in (policy.policy.header_policy, body, root):
        for name in type(section).model_fields:
            if name not in ("mr_td", "any_mr_td", "rtmrs"):
                yield name, _comparable(getattr(section, name))
    listed = frozenset(body.any_mr_td) or None
    alone = frozenset({body.mr_td}) if body.mr_td is not None else None
    yield "measurement", alone & listed if alone and listed else alone or listed
    for index, register in enumerate(body.rtmrs or ()):
        yield f"rtmrs[{index}]", register
    yield from _unknown(policy)


def _unknown(section: PolicySection, path: str = "") -> Iterator[tuple[str, Any]]:
    yield from ((path + key, value) for key, value in (section.model_extra or {}).items())
    for name in type(section).model_fields:
        if isinstance(inner := getattr(section, name), PolicySection):
            yield from _unknown(inner, f"{path}{name}.")


def _comparable(value: Any) -> Any:
    match value:
        case Tcb():
            return value.parts
        case tuple() if value and isinstance(value[0], int):
            return value
        case tuple():
            return frozenset(map(_key, value))
        case _:
            return value


def _key(item: Any) -> Any:
    """A key by what is compared of it; other items as they are."""
    return item.public_numbers() if hasattr(item, "public_numbers") else item


def _told(value: Any) -> str:  # noqa: PLR0911  # one for each type of field
    match value:
        case None | frozenset() | {} if not value:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case bytes():
            return shown(value) if len(value) > 8 else ".".join(map(str, value))  # noqa: PLR2004  # a TCB
        case frozenset():
            return " or ".join(sorted(map(_told, value)))
        case tuple():
            return ".".join(map(str, value))
        case Mapping():
            return ", ".join(f"{name} until {day}" for name, day in sorted(value.items()))
        case _:
            return str(value)
