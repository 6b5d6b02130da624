"""The hypervisors whose guests can be measured, and in what each differs from the others.

Source: attestation.md section 1.5, values that depend on the VMM type.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from prism_iac.attestation.measurement._pages import PageType

__all__ = ["TRAITS", "Traits", "Vmm"]


class Vmm(StrEnum):
    """A hypervisor, by the name that measuring tools give it."""

    QEMU = "QEMU"
    EC2 = "ec2"
    GCE = "gce"
    KRUN = "krun"


class Traits(NamedTuple):
    """How a hypervisor starts vCPUs and fills memory.

    Attributes:
        boot_cs: Attributes of the code segment of the first vCPU.
        other_cs: The same, of the others.
        ss: Attributes of the stack segment.
        tr: Attributes of the task register.
        rdx: What is in the register; None where it is the vCPU's signature.
        mxcsr: The state of SSE.
        x87_fcw: The control word of the x87.
        g_pat: The page attribute table.
        memory: How memory that the firmware only wants cleared is measured.
        cpuid_last: Whether the CPUID page is added after all other sections.
    """

    boot_cs: int
    other_cs: int
    ss: int
    tr: int
    rdx: int | None
    mxcsr: int = 0
    x87_fcw: int = 0
    g_pat: int = 0x0007040600070406
    memory: PageType = PageType.ZERO
    cpuid_last: bool = False


TRAITS: Final[Mapping[Vmm, Traits]] = {
    Vmm.QEMU: Traits(0x9B, 0x9B, 0x93, 0x8B, rdx=None, mxcsr=0x1F80, x87_fcw=0x37F),
    Vmm.EC2: Traits(0x9A, 0x9B, 0x92, 0x83, rdx=0x600, cpuid_last=True),
    Vmm.GCE: Traits(0x9B, 0x9B, 0x93, 0x8B, rdx=0x600, g_pat=0x00070106, memory=PageType.UNMEASURED),
    Vmm.KRUN: Traits(0x9A, 0x9A, 0x92, 0x83, rdx=0),
}
