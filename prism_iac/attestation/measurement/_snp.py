"""The launch measurement of SEV-SNP: a chain over pages.

Source: AMD 56860 §8.17; attestation.md sections 1.2 to 1.5, and 1.9 for the SVSM.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha384
from typing import Final

from prism_iac.attestation.measurement._firmware import Firmware
from prism_iac.attestation.measurement._kernel import KernelHashes
from prism_iac.attestation.measurement._launch import LaunchInputs
from prism_iac.attestation.measurement._pages import (
    DIGEST_BYTES,
    PAGE_BYTES,
    PageType,
    extend,
    extend_range,
)
from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._sections import Section, SectionType
from prism_iac.attestation.measurement._vcpus import VcpuPage, parts_of, svsm_pages, vcpu_pages
from prism_iac.attestation.measurement._vmm import TRAITS, Traits, Vmm
from prism_iac.attestation.measurement._vmsa import VMSA_GPA

__all__ = ["measure_ovmf_hash", "measure_snp", "measure_svsm"]

_PAGE_TYPES: Final = {
    SectionType.SNP_SECRETS: PageType.SECRETS,
    SectionType.CPUID: PageType.CPUID,
    SectionType.SVSM_CAA: PageType.ZERO,
    SectionType.SNP_KERNEL_HASHES: PageType.ZERO,
}
"""How a section without contents is measured; that of SNP_SEC_MEM is a trait of the hypervisor."""


def measure_ovmf_hash(inputs: LaunchInputs) -> Measurement:
    """Over the pages of the firmware.

    Source: attestation.md section 1.1, mode `snp:ovmf-hash`.

    Raises:
        InvalidInput: The firmware does not consist of whole pages.
    """
    firmware = inputs.firmware
    return Measurement(
        firmware.snp_hash, (_image_part("firmware", firmware, firmware.gpa, firmware.snp_hash),)
    )


def measure_snp(inputs: LaunchInputs) -> Measurement:
    """Over the firmware, the memory that it declares, and the vCPUs.

    Source: attestation.md section 1.2, mode `snp`.

    Raises:
        InvalidInput: An input is missing or impossible, the firmware is malformed, or it takes no kernel, but
            there is one.
    """
    firmware, kernel = inputs.firmware, inputs.kernel
    if kernel is not None and all(s.kind is not SectionType.SNP_KERNEL_HASHES for s in firmware.sections):
        raise _takes_no_kernel(firmware)
    vcpus = vcpu_pages(inputs, features=inputs.guest_features)
    given = inputs.firmware_hash
    if given is None:
        chain = _Chain(firmware.snp_hash)
        chain.parts.append(_image_part("firmware", firmware, firmware.gpa, chain.digest))
    elif len(given) == DIGEST_BYTES:
        chain = _Chain(given)
        chain.parts.append(Part("firmware", "its pages, by the hash that was given", given))
    else:
        raise refusal(
            "snp-ovmf-hash",
            f"has {DIGEST_BYTES} bytes, not {len(given)}",
            "Give what the mode snp:ovmf-hash prints.",
        )
    chain.add_sections(firmware, TRAITS[inputs.vmm], kernel)
    chain.add_vcpus(vcpus)
    return chain.measurement()


def measure_svsm(inputs: LaunchInputs) -> Measurement:
    """Over the firmware, the SVSM below it, the memory that the SVSM declares, and the vCPUs.

    Source: attestation.md section 1.9, mode `snp:svsm`.

    Raises:
        InvalidInput: An input is missing or impossible, or an image is malformed.
    """
    firmware, svsm = inputs.firmware, inputs.svsm
    if svsm is None:
        raise refusal("svsm", "is what this mode starts, and missing", "Give the image of the SVSM.")
    if inputs.vmm is not Vmm.QEMU:
        raise refusal("vmm-type", f"no SVSM is known to start on {inputs.vmm}", f"Give {Vmm.QEMU}.")
    between = inputs.vars_bytes
    if between is None or between < 0 or between % PAGE_BYTES:
        raise refusal(
            "vars-size",
            "the length of the firmware's variables, in whole pages, decides where the SVSM lies",
            "Give the size of OVMF_VARS.fd, or the file.",
        )
    gpa = firmware.gpa - between - len(svsm.data)
    if gpa < 0:
        raise refusal(
            "vars-size", "leaves no room for the SVSM below 4 GiB", "Give the size of OVMF_VARS.fd."
        )
    vcpus = svsm_pages(inputs, gpa=gpa)
    chain = _Chain(firmware.snp_hash)
    chain.parts.append(_image_part("firmware", firmware, firmware.gpa, chain.digest))
    chain.digest = svsm.extend(chain.digest, gpa)
    chain.parts.append(_image_part("SVSM", svsm, gpa, svsm.sha256()))
    chain.add_sections(svsm, TRAITS[inputs.vmm], None)
    chain.add_vcpus(vcpus)
    return chain.measurement()


class _Chain:
    """A launch digest that grows, and what it grew by."""

    def __init__(self, digest: bytes) -> None:
        self.digest = digest
        self.parts: list[Part] = []

    def add_sections(self, image: Firmware, traits: Traits, kernel: KernelHashes | None) -> None:
        for section in _in_order(image.sections, traits):
            kind = _PAGE_TYPES.get(section.kind, traits.memory)
            contents = b""
            if kernel is not None and section.kind is SectionType.SNP_KERNEL_HASHES:
                kind = PageType.NORMAL
                contents = sha384(_kernel_page(image, section, kernel)).digest()
                self.digest = extend(self.digest, kind, section.gpa, contents)
            else:
                self.digest = extend_range(self.digest, kind, section.gpa, section.size_bytes)
            detail = _pages(kind, section.gpa, section.size_bytes)
            self.parts.append(Part(f"section {section.kind.name}", detail, contents))
        if kernel is not None:
            self.parts += kernel.parts()

    def add_vcpus(self, pages: Sequence[VcpuPage]) -> None:
        for page, part in zip(pages, parts_of(pages), strict=True):
            self.digest = extend(self.digest, PageType.VMSA, VMSA_GPA, part.digest, times=page.vcpus)
            self.parts.append(part)

    def measurement(self) -> Measurement:
        return Measurement(self.digest, tuple(self.parts))


def _in_order(sections: Sequence[Section], traits: Traits) -> Sequence[Section]:
    if not traits.cpuid_last:
        return sections
    return sorted(sections, key=lambda section: section.kind is SectionType.CPUID)


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


def _image_part(name: str, image: Firmware, gpa: int, digest: bytes) -> Part:
    return Part(name, _pages(PageType.NORMAL, gpa, len(image.data)), digest)


def _pages(kind: PageType, gpa: int, size_bytes: int) -> str:
    count = size_bytes // PAGE_BYTES
    return f"{count} {kind.name} {'page' if count == 1 else 'pages'} at {gpa:#x}"
