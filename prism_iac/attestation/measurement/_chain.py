"""The launch digest of a SEV-SNP guest while it grows, and what it grew by.

Source: AMD 56860 §8.17; attestation.md sections 1.2 and 1.4.
"""

from __future__ import annotations

from hashlib import sha384

from prism_iac.attestation.measurement._pages import NORMAL, PAGE_BYTES, VMSA, extend, extend_range, pages_at
from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._sections import SEC_CPUID, SNP_KERNEL_HASHES, SNP_SEC_MEM
from prism_iac.attestation.measurement._vcpus import parts_of
from prism_iac.attestation.measurement._vmsa import VMSA_GPA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from prism_iac.attestation.measurement._firmware import Firmware
    from prism_iac.attestation.measurement._kernel import KernelHashes
    from prism_iac.attestation.measurement._sections import Section
    from prism_iac.attestation.measurement._vcpus import VcpuPage
    from prism_iac.attestation.measurement._vmm import Vmm

__all__ = ["Chain"]


class Chain:
    """Pages are added in the order in which the hypervisor adds them.

    Attributes:
        digest: The launch digest so far, 48 bytes.
        parts: What it came from.
    """

    def __init__(self, digest: bytes, *parts: Part) -> None:
        self.digest = digest
        self.parts = list(parts)

    @classmethod
    def of(cls, firmware: Firmware) -> Chain:
        """The digest after the pages of a firmware; attestation.md section 1.2, step 1.

        Raises:
            InvalidInput: It does not consist of whole pages.
        """
        detail = pages_at(NORMAL, firmware.gpa, len(firmware.data))
        return cls(firmware.snp_hash, Part("firmware", detail, firmware.snp_hash))

    def add_sections(self, image: Firmware, vmm: Vmm, kernel: KernelHashes | None = None) -> None:
        """The memory that an image declares; attestation.md sections 1.2, steps 2 and 3, and 1.4.

        Raises:
            InvalidInput: The image declares none, is malformed, or takes no kernel, but there is one.
        """
        sections = image.sections
        if kernel is not None and all(section.kind is not SNP_KERNEL_HASHES for section in sections):
            raise _takes_no_kernel(image)
        if vmm.is_cpuid_last:
            sections = tuple(sorted(sections, key=lambda section: section.kind is SEC_CPUID))
        for section in sections:
            page_type = vmm.memory if section.kind is SNP_SEC_MEM else section.kind.page_type
            contents = b""
            if kernel is not None and section.kind is SNP_KERNEL_HASHES:
                page_type = NORMAL
                contents = sha384(_kernel_page(image, section, kernel)).digest()
                self.digest = extend(self.digest, page_type, section.gpa, contents)
            else:
                self.digest = extend_range(self.digest, page_type, section.gpa, section.size_bytes)
            detail = pages_at(page_type, section.gpa, section.size_bytes)
            self.parts.append(Part(f"section {section.kind.name}", detail, contents))
        if kernel is not None:
            self.parts += kernel.parts()

    def add_vcpus(self, pages: Sequence[VcpuPage]) -> None:
        """The pages of vCPUs; attestation.md section 1.2, step 4."""
        for page, part in zip(pages, parts_of(pages), strict=True):
            self.digest = extend(self.digest, VMSA, VMSA_GPA, part.digest, times=page.count)
            self.parts.append(part)

    def measurement(self) -> Measurement:
        """What it has come to."""
        return Measurement(self.digest, tuple(self.parts))


def _kernel_page(image: Firmware, section: Section, kernel: KernelHashes) -> bytes:
    base = image.hash_table_gpa
    page = kernel.page(base % PAGE_BYTES)
    if not base or page is None or section.size_bytes != PAGE_BYTES:
        raise _takes_no_kernel(image)
    return page


def _takes_no_kernel(image: Firmware) -> Exception:
    return refusal(
        image.name,
        "has no page for the hashes of a kernel, so a kernel would not be measured",
        "Give a build for direct boot, such as OVMF's AmdSev, or leave the kernel out.",
    )
