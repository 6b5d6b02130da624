"""The types of vCPU that hypervisors offer, and the signature of each.

Source: AMD 25481, CPUID Fn0000_0001_EAX; QEMU `target/i386/cpu.c`; attestation.md section 1.6.
"""

from __future__ import annotations

from prism_iac.attestation.measurement._refusal import refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

__all__ = ["VCPU_TYPES", "vcpu_signature"]

_BASE_FAMILY: Final = 0xF


def vcpu_signature(family: int, model: int, stepping: int) -> int:
    """The 32 bits by which a processor names itself.

    Source: AMD 25481, CPUID Fn0000_0001_EAX; attestation.md section 1.6.

    Args:
        family: Combined, 0 to 270.
        model: Combined, 0 to 255.
        stepping: 0 to 15.

    Raises:
        InvalidInput: One is out of its range.
    """
    for what, value, most in (("family", family, 0x10E), ("model", model, 0xFF), ("stepping", stepping, 0xF)):
        if not 0 <= value <= most:
            raise refusal(f"vcpu-{what}", f"{value} is no {what}", f"Give a number from 0 to {most}.")
    base = min(family, _BASE_FAMILY)
    return (family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 0xF) << 4 | stepping


_NAPLES: Final = vcpu_signature(23, 1, 2)
_ROME: Final = vcpu_signature(23, 49, 0)
_MILAN: Final = vcpu_signature(25, 1, 1)
_GENOA: Final = vcpu_signature(25, 17, 0)
_TURIN: Final = vcpu_signature(26, 0, 0)

VCPU_TYPES: Final[Mapping[str, int]] = {
    "EPYC": _NAPLES,
    "EPYC-v1": _NAPLES,
    "EPYC-v2": _NAPLES,
    "EPYC-v3": _NAPLES,
    "EPYC-v4": _NAPLES,
    "EPYC-v5": _NAPLES,
    "EPYC-IBPB": _NAPLES,
    "EPYC-Rome": _ROME,
    "EPYC-Rome-v1": _ROME,
    "EPYC-Rome-v2": _ROME,
    "EPYC-Rome-v3": _ROME,
    "EPYC-Rome-v4": _ROME,
    "EPYC-Rome-v5": _ROME,
    "EPYC-Milan": _MILAN,
    "EPYC-Milan-v1": _MILAN,
    "EPYC-Milan-v2": _MILAN,
    "EPYC-Milan-v3": _MILAN,
    "EPYC-Genoa": _GENOA,
    "EPYC-Genoa-v1": _GENOA,
    "EPYC-Genoa-v2": _GENOA,
    "EPYC-Turin": _TURIN,
    "EPYC-Turin-v1": _TURIN,
}
"""The signature of each type, by QEMU's name."""
