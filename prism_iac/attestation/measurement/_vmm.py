"""The hypervisors whose guests can be measured: how each starts vCPUs and fills memory.

Source: attestation.md section 1.5, values that depend on the VMM type.
"""

from __future__ import annotations

from prism_iac.attestation.measurement._pages import UNMEASURED, ZERO, PageType
from prism_iac.attestation.measurement._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

__all__ = ["EC2", "GCE", "KRUN", "QEMU", "VMMS", "Vmm"]


class Vmm(Value):
    """A hypervisor, as far as launches differ.

    Attributes:
        name: What measuring tools call it.
        boot_cs: Attributes of the code segment of the first vCPU.
        other_cs: The same, of the others.
        ss: Attributes of the stack segment.
        tr: Attributes of the task register.
        rdx: What is in the register; None where it is the vCPU's signature.
        mxcsr: The state of SSE.
        x87_fcw: The control word of the x87.
        g_pat: The page attribute table.
        memory: How memory that the firmware only wants cleared is measured.
        is_cpuid_last: Whether the CPUID page is added after all other sections.
    """

    name: str
    boot_cs: int
    other_cs: int
    ss: int
    tr: int
    rdx: int | None
    mxcsr: int = 0
    x87_fcw: int = 0
    g_pat: int = 0x0007040600070406
    memory: PageType = ZERO
    is_cpuid_last: bool = False

    @property
    def shows_signature(self) -> bool:
        """Whether the signature of the vCPUs is measured."""
        return self.rdx is None


QEMU: Final = Vmm("QEMU", 0x9B, 0x9B, 0x93, 0x8B, rdx=None, mxcsr=0x1F80, x87_fcw=0x37F)
EC2: Final = Vmm("ec2", 0x9A, 0x9B, 0x92, 0x83, rdx=0x600, is_cpuid_last=True)
GCE: Final = Vmm("gce", 0x9B, 0x9B, 0x93, 0x8B, rdx=0x600, g_pat=0x00070106, memory=UNMEASURED)
KRUN: Final = Vmm("krun", 0x9A, 0x9A, 0x92, 0x83, rdx=0)

VMMS: Final[Mapping[str, Vmm]] = {vmm.name: vmm for vmm in (QEMU, EC2, GCE, KRUN)}
"""Each by its name."""
