"""What a firmware image declares for SEV-SNP: the memory that is to be there before it runs.

Source: edk2 `OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm`; attestation.md sections 1.3 and 1.4.
"""

from __future__ import annotations

from struct import Struct

from prism_iac.attestation.measurement._pages import (
    CPUID,
    MAX_PAGES,
    MAX_SECTIONS,
    PAGE_BYTES,
    SECRETS,
    ZERO,
    PageType,
)
from prism_iac.attestation.measurement._refusal import BUILD_FIX, refusal
from prism_iac.attestation.measurement._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = [
    "SEC_CPUID",
    "SNP_KERNEL_HASHES",
    "SNP_SEC_MEM",
    "Section",
    "SectionType",
    "parse_sections",
]


class SectionType(Value):
    """What a section is for; attestation.md section 1.4.

    Attributes:
        number: Its number.
        name: Its name.
        page_type: How its pages are measured; a hypervisor or a kernel may change that.
        is_one_page: Whether it has one page, whatever its size says.
    """

    number: int
    name: str
    page_type: PageType
    is_one_page: bool = False


SNP_SEC_MEM: Final = SectionType(0x1, "SNP_SEC_MEM", ZERO)
SEC_CPUID: Final = SectionType(0x3, "CPUID", CPUID, is_one_page=True)
SNP_KERNEL_HASHES: Final = SectionType(0x10, "SNP_KERNEL_HASHES", ZERO)

_TYPES: Final = {
    kind.number: kind
    for kind in (
        SNP_SEC_MEM,
        SectionType(0x2, "SNP_SECRETS", SECRETS, is_one_page=True),
        SEC_CPUID,
        SectionType(0x4, "SVSM_CAA", ZERO),
        SNP_KERNEL_HASHES,
    )
}

_HEADER: Final = Struct("<4sIII")
_SECTION: Final = Struct("<III")
_SIGNATURE: Final = b"ASEV"
_VERSION: Final = 1


class Section(Value):
    """A range of guest memory that the firmware declares.

    Attributes:
        kind: What it is for.
        gpa: The guest physical address where it begins, a multiple of a page.
        size_bytes: How long it is, a multiple of a page; zero gives nothing to measure.
    """

    kind: SectionType
    gpa: int
    size_bytes: int


def parse_sections(image: bytes, from_end: int, name: str) -> tuple[Section, ...]:
    """The sections, in the order of the image.

    Source: attestation.md section 1.3, SEV metadata.

    Args:
        image: The whole image.
        from_end: The distance from its end back to the metadata.
        name: What errors call it.

    Raises:
        InvalidInput: They do not fit into the image, are of a version or type that is not known, do not
            consist of pages, or declare more memory than any firmware does.
    """
    start = len(image) - from_end
    if start < 0 or from_end < _HEADER.size:
        raise refusal(name, "its SEV metadata does not lie in it", BUILD_FIX)
    signature, length, version, count = _HEADER.unpack_from(image, start)
    if signature != _SIGNATURE or version != _VERSION:
        raise refusal(name, "its SEV metadata has not the signature ASEV and version 1", BUILD_FIX)
    if count > MAX_SECTIONS or not _HEADER.size + count * _SECTION.size <= length <= from_end:
        raise refusal(name, f"its SEV metadata has no room for {count} sections", BUILD_FIX)
    first = start + _HEADER.size
    found = memoryview(image)[first : first + count * _SECTION.size]
    sections = tuple(_section(*fields, name=name) for fields in _SECTION.iter_unpack(found))
    if sum(section.size_bytes for section in sections) > MAX_PAGES * PAGE_BYTES:
        raise refusal(name, "its SEV metadata declares more memory than can be measured", BUILD_FIX)
    return sections


def _section(gpa: int, size: int, number: int, *, name: str) -> Section:
    kind = _TYPES.get(number)
    if kind is None:
        raise refusal(
            name, f"its SEV metadata has a section of type {number:#x}, which is not known", BUILD_FIX
        )
    size_bytes = PAGE_BYTES if kind.is_one_page else size
    if gpa % PAGE_BYTES or size_bytes % PAGE_BYTES:
        raise refusal(name, f"its section {kind.name} at {gpa:#x} does not consist of whole pages", BUILD_FIX)
    return Section(kind, gpa, size_bytes)
