"""The page that holds the registers with which a vCPU begins.

Source: AMD APM volume 2, appendix B, table B-4 (VMSA); attestation.md sections 1.5 and 1.9.
"""

from __future__ import annotations

from struct import Struct

from prism_iac.attestation.measurement._pages import PAGE_BYTES
from prism_iac.attestation.measurement._value import Value
from prism_iac.attestation.measurement._vmm import QEMU, Vmm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

__all__ = ["RESET_VECTOR", "VMSA_GPA", "svsm_vmsa", "vmsa"]

VMSA_GPA: Final = 0xFFFFFFFFF000
"""Where the page of every vCPU is said to lie; attestation.md section 1.2."""

RESET_VECTOR: Final = 0xFFFFFFF0
"""Where the first vCPU begins."""


class _Segment(Value):
    selector: int
    attributes: int
    limit: int = 0xFFFF
    base: int = 0


_SEGMENT: Final = Struct("<HHIQ")

_SEGMENTS: Final = {
    "es": 0x000,
    "cs": 0x010,
    "ss": 0x020,
    "ds": 0x030,
    "fs": 0x040,
    "gs": 0x050,
    "gdtr": 0x060,
    "ldtr": 0x070,
    "idtr": 0x080,
    "tr": 0x090,
}
"""The offset of each segment."""

_REGISTERS: Final = {
    "efer": (0x0D0, 8),
    "cr4": (0x148, 8),
    "cr0": (0x158, 8),
    "dr7": (0x160, 8),
    "dr6": (0x168, 8),
    "rflags": (0x170, 8),
    "rip": (0x178, 8),
    "g_pat": (0x268, 8),
    "rdx": (0x310, 8),
    "sev_features": (0x3B0, 8),
    "xcr0": (0x3E8, 8),
    "mxcsr": (0x408, 4),
    "x87_fcw": (0x410, 2),
}
"""The offset and size of each register that is not zero at launch."""

_COMMON: Final = {
    "efer": 0x1000,
    "cr4": 0x40,
    "dr7": 0x400,
    "dr6": 0xFFFF0FF0,
    "rflags": 0x2,
    "xcr0": 0x1,
}

_DATA: Final = _Segment(0, 0x93)
_TABLE: Final = _Segment(0, 0)
_LOCAL_TABLE: Final = _Segment(0, 0x82)
_FLAT_DATA: Final = _Segment(0x10, 0xC93, 0xFFFFFFFF)
_FLAT_CODE: Final = _Segment(0x8, 0xC9B, 0xFFFFFFFF)


def vmsa(vmm: Vmm, *, eip: int, signature: int, features: int) -> bytes:
    """The page of a vCPU that begins in real mode.

    Source: attestation.md section 1.5.

    Args:
        vmm: The hypervisor.
        eip: Where it begins: `RESET_VECTOR`, or the address in the firmware's reset block.
        signature: Its signature; not every hypervisor passes it on.
        features: SEV_FEATURES, 64 bits.
    """
    cs = vmm.boot_cs if eip == RESET_VECTOR else vmm.other_cs
    return _page(
        {
            "es": _DATA,
            "cs": _Segment(0xF000, cs, base=eip & 0xFFFF0000),
            "ss": _Segment(0, vmm.ss),
            "ds": _DATA,
            "fs": _DATA,
            "gs": _DATA,
            "gdtr": _TABLE,
            "ldtr": _LOCAL_TABLE,
            "idtr": _TABLE,
            "tr": _Segment(0, vmm.tr),
        },
        {
            "cr0": 0x10,
            "rip": eip & 0xFFFF,
            "g_pat": vmm.g_pat,
            "rdx": signature if vmm.rdx is None else vmm.rdx,
            "sev_features": features,
            "mxcsr": vmm.mxcsr,
            "x87_fcw": vmm.x87_fcw,
        },
    )


def svsm_vmsa(*, rip: int, signature: int) -> bytes:
    """The page of a vCPU that begins in the SVSM, in flat protected mode.

    Source: attestation.md section 1.9.
    """
    return _page(
        {
            "es": _FLAT_DATA,
            "cs": _FLAT_CODE,
            "ss": _FLAT_DATA,
            "ds": _FLAT_DATA,
            "fs": _FLAT_DATA,
            "gs": _DATA,
            "gdtr": _TABLE,
            "ldtr": _LOCAL_TABLE,
            "idtr": _TABLE,
            "tr": _Segment(0, QEMU.tr),
        },
        {
            "cr0": 0x11,
            "rip": rip,
            "g_pat": QEMU.g_pat,
            "rdx": signature,
            "sev_features": 0x1,
            "mxcsr": QEMU.mxcsr,
        },
    )


def _page(segments: Mapping[str, _Segment], registers: Mapping[str, int]) -> bytes:
    page = bytearray(PAGE_BYTES)
    for name, segment in segments.items():
        fields = (segment.selector, segment.attributes, segment.limit, segment.base)
        _SEGMENT.pack_into(page, _SEGMENTS[name], *fields)
    for name, value in {**_COMMON, **registers}.items():
        offset, size = _REGISTERS[name]
        page[offset : offset + size] = value.to_bytes(size, "little")
    return bytes(page)
