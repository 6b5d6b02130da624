"""The pages of a guest's vCPUs: one for the first, one that all others share.

Source: attestation.md sections 1.5 and 1.9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha384
from typing import Final, NamedTuple

from prism_iac.attestation.measurement._launch import LaunchInputs
from prism_iac.attestation.measurement._refusal import BUILD_FIX, refusal
from prism_iac.attestation.measurement._result import Part
from prism_iac.attestation.measurement._vmm import TRAITS
from prism_iac.attestation.measurement._vmsa import RESET_VECTOR, svsm_vmsa, vmsa

__all__ = ["VcpuPage", "parts_of", "svsm_pages", "vcpu_pages"]

_MAX_VCPUS: Final = 1 << 16
_SIGNATURE_BITS: Final = 32
_FEATURES_BITS: Final = 64


class VcpuPage(NamedTuple):
    """A page that one or more vCPUs begin with.

    Attributes:
        first: The number of the first of them.
        vcpus: How many they are.
        page: 4096 bytes.
        detail: What decides the page.
    """

    first: int
    vcpus: int
    page: bytes
    detail: str


def vcpu_pages(inputs: LaunchInputs, *, features: int) -> tuple[VcpuPage, ...]:
    """The pages of vCPUs that begin in the firmware, in their order; none for no vCPUs.

    Source: attestation.md section 1.5.

    Raises:
        InvalidInput: The number or the signature of vCPUs is missing or impossible, so are the features, or
            the firmware does not say where vCPUs other than the first begin.
    """
    count, signature = _count(inputs), _signature(inputs)
    firmware, traits = inputs.firmware, TRAITS[inputs.vmm]
    if not 0 <= features < 1 << _FEATURES_BITS:
        raise refusal("guest-features", f"{features:#x} does not fit into 64 bits", "Give 0x1, the usual.")
    if count > 1 and not firmware.reset_eip:
        raise refusal(firmware.name, "does not say where vCPUs other than the first begin", BUILD_FIX)
    starts = ((0, min(count, 1), RESET_VECTOR), (1, count - 1, firmware.reset_eip))
    shown = f", signature {signature:#x}" if traits.rdx is None else ""
    return tuple(
        VcpuPage(
            first,
            number,
            vmsa(traits, eip=eip, signature=signature, features=features),
            f"VMSA of {inputs.vmm}, begins at {eip:#x}{shown}, features {features:#x}",
        )
        for first, number, eip in starts
        if number > 0
    )


def svsm_pages(inputs: LaunchInputs, *, gpa: int) -> tuple[VcpuPage, ...]:
    """The page of vCPUs that begin in the SVSM, which they all share; none for no vCPUs.

    Source: attestation.md section 1.9.

    Args:
        inputs: Those of the launch, with an SVSM.
        gpa: Where the SVSM lies.

    Raises:
        InvalidInput: The number or the signature of vCPUs is missing or impossible, or the SVSM is none.
    """
    count, signature = _count(inputs), _signature(inputs)
    entry = inputs.svsm.svsm_entry if inputs.svsm is not None else None
    if entry is None:
        raise refusal("svsm", "does not say where vCPUs begin, so it is no SVSM", "Give the image of one.")
    page = svsm_vmsa(TRAITS[inputs.vmm], rip=gpa + entry, signature=signature)
    detail = f"VMSA of the SVSM, begins at {gpa + entry:#x}, signature {signature:#x}"
    return (VcpuPage(0, count, page, detail),) if count else ()


def parts_of(pages: Sequence[VcpuPage]) -> Iterator[Part]:
    """What each page tells of its vCPUs."""
    for first, count, page, detail in pages:
        name = f"vCPU {first}" if count == 1 else f"vCPUs {first} to {first + count - 1}"
        yield Part(name, detail, sha384(page).digest())


def _count(inputs: LaunchInputs) -> int:
    if inputs.vcpus is None:
        raise refusal("vcpus", f"is measured in the mode {inputs.mode}, and missing", "Give their number.")
    if not 0 <= inputs.vcpus < _MAX_VCPUS:
        raise refusal("vcpus", f"no guest has {inputs.vcpus}", f"Give a number below {_MAX_VCPUS}.")
    return inputs.vcpus


def _signature(inputs: LaunchInputs) -> int:
    signature = inputs.vcpu_signature
    if TRAITS[inputs.vmm].rdx is not None:
        return 0
    if signature is None:
        raise refusal("vcpu-type", f"is measured on {inputs.vmm}, and missing", "Give one, such as EPYC-v4.")
    if not 0 <= signature < 1 << _SIGNATURE_BITS:
        raise refusal("vcpu-sig", f"{signature:#x} does not fit into 32 bits", "Give EAX of CPUID leaf 1.")
    return signature
