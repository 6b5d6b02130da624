"""The bit fields of a report: guest policy, platform information, signer information.

Source: AMD 56860 §4.3 for the guest policy; attestation.md sections 2.2, 3.3 and 3.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

__all__ = [
    "DEBUG",
    "DEFAULT_GUEST_POLICY",
    "GUEST_AT_LEAST",
    "GUEST_AT_MOST",
    "PLATFORM_AT_LEAST",
    "PLATFORM_AT_MOST",
    "RESERVED_BIT",
    "BitRule",
    "SigningKey",
    "guest_policy_violations",
    "is_guest_policy",
    "is_signer_info",
    "platform_violations",
]

_ALWAYS_ONE: Final = 1 << 17
_KNOWN_BITS: Final = (1 << 26) - 1
_SMT: Final = 1 << 16

DEBUG: Final = 1 << 19
"""The host may read the guest's memory."""

DEFAULT_GUEST_POLICY: Final = _ALWAYS_ONE | _SMT
"""What QEMU and Cocos launch guests with, 0x30000."""


@dataclass(frozen=True, slots=True)
class BitRule:
    """One bit and its meaning."""

    bit: int
    meaning: str


GUEST_AT_MOST: Final = (
    BitRule(16, "SMT"),
    BitRule(18, "a migration agent"),
    BitRule(19, "debugging by the host"),
    BitRule(21, "CXL"),
)
"""Bits that a guest may have only when the policy allows them."""

GUEST_AT_LEAST: Final = (
    BitRule(20, "a single socket"),
    BitRule(22, "AES-256-XTS"),
    BitRule(23, "RAPL disabled"),
    BitRule(24, "ciphertext hiding"),
    BitRule(25, "page swap disabled"),
)
"""Bits that a guest must have when the policy asks for them."""

RESERVED_BIT: Final = "a reserved bit"

PLATFORM_AT_MOST: Final = (
    BitRule(0, "SMT"),
    BitRule(1, "TSME"),
    BitRule(7, "TIO"),
    BitRule(6, RESERVED_BIT),
    *(BitRule(bit, RESERVED_BIT) for bit in range(8, 64)),
)
"""Bits that a platform may have only when the policy allows them."""

PLATFORM_AT_LEAST: Final = (
    BitRule(2, "ECC memory"),
    BitRule(3, "RAPL disabled"),
    BitRule(4, "ciphertext hiding"),
    BitRule(5, "the alias check"),
)
"""Bits that a platform must have when the policy asks for them."""


class SigningKey(IntEnum):
    """Which key signed a report (SIGNER_INFO bits 4:2)."""

    VCEK = 0
    VLEK = 1
    NONE = 7


def is_guest_policy(value: int) -> bool:
    """Whether a guest policy is well formed: bit 17 is one, bits 63:26 are zero (AMD 56860 §4.3)."""
    return bool(value & _ALWAYS_ONE) and value & ~_KNOWN_BITS == 0


def is_signer_info(value: int) -> bool:
    """Whether SIGNER_INFO is well formed: a known signing key, bits 31:5 zero (section 2.2)."""
    return value >> 5 == 0 and (value >> 2) & 7 in set(SigningKey)


def guest_policy_violations(found: int, wanted: int) -> Iterator[str]:
    """What a guest policy has too much, too little or too old, as phrases (section 3.3)."""
    found_abi, wanted_abi = _abi(found), _abi(wanted)
    if found_abi < wanted_abi:
        yield f"ABI {found_abi[0]}.{found_abi[1]} instead of at least {wanted_abi[0]}.{wanted_abi[1]}"
    yield from _violations(found, wanted, GUEST_AT_MOST, GUEST_AT_LEAST)


def platform_violations(found: int, wanted: int) -> Iterator[str]:
    """What a platform's information has too much or too little, as phrases (section 3.5)."""
    yield from _violations(found, wanted, PLATFORM_AT_MOST, PLATFORM_AT_LEAST)


def _abi(policy: int) -> tuple[int, int]:
    return (policy >> 8) & 0xFF, policy & 0xFF


def _violations(
    found: int, wanted: int, at_most: tuple[BitRule, ...], at_least: tuple[BitRule, ...]
) -> Iterator[str]:
    for rule in at_most:
        if found >> rule.bit & 1 and not wanted >> rule.bit & 1:
            yield f"{rule.meaning} is on"
    for rule in at_least:
        if wanted >> rule.bit & 1 and not found >> rule.bit & 1:
            yield f"{rule.meaning} is off"
