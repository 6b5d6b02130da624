"""The pages of a guest's vCPUs: one for the first, one that all others share.

Source: attestation.md sections 1.5 and 1.9.
"""

from __future__ import annotations

from hashlib import sha384

from prism_iac.attestation.measurement._refusal import BUILD_FIX, refusal
from prism_iac.attestation.measurement._result import Part
from prism_iac.attestation.measurement._value import Value
from prism_iac.attestation.measurement._vmsa import RESET_VECTOR, vmsa

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from prism_iac.attestation.measurement._launch import SevEsLaunch, SnpLaunch

__all__ = ["VcpuPage", "check_count", "check_signature", "parts_of", "vcpu_pages"]

_MAX_VCPUS: Final = 1 << 16
_SIGNATURE_BITS: Final = 32
_FEATURES_BITS: Final = 64


class VcpuPage(Value):
    """A page that one or more vCPUs begin with.

    Attributes:
        first: The number of the first of them.
        count: How many they are.
        page: 4096 bytes.
        detail: What decides the page.
    """

    first: int
    count: int
    page: bytes
    detail: str


def vcpu_pages(launch: SevEsLaunch | SnpLaunch, *, features: int) -> tuple[VcpuPage, ...]:
    """The pages of vCPUs that begin in the firmware, in their order; none for no vCPUs.

    Source: attestation.md section 1.5.

    Raises:
        InvalidInput: The number of vCPUs or the features are impossible, the signature is missing or
            impossible, or the firmware does not say where vCPUs other than the first begin.
    """
    firmware, vmm, count = launch.firmware, launch.vmm, launch.vcpus
    check_count(count)
    signature = check_signature(launch.vcpu_signature) if vmm.shows_signature else 0
    if not 0 <= features < 1 << _FEATURES_BITS:
        raise refusal("guest-features", f"{features:#x} does not fit into 64 bits", "Give 0x1, the usual.")
    if count > 1 and not firmware.reset_eip:
        raise refusal(firmware.name, "does not say where vCPUs other than the first begin", BUILD_FIX)
    starts = ((0, min(count, 1), RESET_VECTOR), (1, count - 1, firmware.reset_eip))
    shown = f", signature {signature:#x}" if vmm.shows_signature else ""
    return tuple(
        VcpuPage(
            first,
            number,
            vmsa(vmm, eip=eip, signature=signature, features=features),
            f"VMSA of {vmm.name}, begins at {eip:#x}{shown}, features {features:#x}",
        )
        for first, number, eip in starts
        if number > 0
    )


def parts_of(pages: Sequence[VcpuPage]) -> Iterator[Part]:
    """What each page tells of its vCPUs."""
    for page in pages:
        last = page.first + page.count - 1
        name = f"vCPU {last}" if page.count == 1 else f"vCPUs {page.first} to {last}"
        yield Part(name, page.detail, sha384(page.page).digest())


def check_count(vcpus: int) -> None:
    """Refuse a number of vCPUs that no guest has.

    Raises:
        InvalidInput: It is one.
    """
    if not 0 <= vcpus < _MAX_VCPUS:
        raise refusal("vcpus", f"no guest has {vcpus}", f"Give a number below {_MAX_VCPUS}.")


def check_signature(signature: int | None) -> int:
    """The signature of the vCPUs, as it is; attestation.md section 1.6.

    Raises:
        InvalidInput: It is missing, or has more than 32 bits.
    """
    if signature is None:
        raise refusal("vcpu-type", "is measured, and missing", "Give one, such as EPYC-v4.")
    if not 0 <= signature < 1 << _SIGNATURE_BITS:
        raise refusal("vcpu-sig", f"{signature:#x} does not fit into 32 bits", "Give EAX of CPUID leaf 1.")
    return signature
