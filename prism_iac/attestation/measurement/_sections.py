"""What a firmware image declares for SEV-SNP: the memory that is to be there before it runs.

Source: edk2 `OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm`; attestation.md sections 1.3 and 1.4.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from prism_iac.attestation.measurement._pages import MAX_PAGES, PAGE_BYTES
from prism_iac.attestation.measurement._refusal import BUILD_FIX, refusal

__all__ = ["Section", "SectionType", "parse_sections"]

_HEADER: Final = Struct("<4sIII")
_SECTION: Final = Struct("<III")
_SIGNATURE: Final = b"ASEV"
_VERSION: Final = 1


class SectionType(IntEnum):
    """What a section is for; attestation.md section 1.4."""

    SNP_SEC_MEM = 0x1
    SNP_SECRETS = 0x2
    CPUID = 0x3
    SVSM_CAA = 0x4
    SNP_KERNEL_HASHES = 0x10


_ONE_PAGE: Final = (SectionType.SNP_SECRETS, SectionType.CPUID)
"""Types whose size does not matter."""


class Section(NamedTuple):
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
        InvalidInput: They do not fit into the image, are of a version or type that is not known, lie off the
            bounds of pages, or declare more memory than any firmware does.
    """
    start = len(image) - from_end
    if start < 0 or from_end < _HEADER.size:
        raise refusal(name, "its SEV metadata does not lie in it", BUILD_FIX)
    signature, length, version, count = _HEADER.unpack_from(image, start)
    if signature != _SIGNATURE or version != _VERSION:
        raise refusal(name, "its SEV metadata has not the signature ASEV and version 1", BUILD_FIX)
    if not _HEADER.size + count * _SECTION.size <= length <= from_end:
        raise refusal(name, f"its SEV metadata has no room for {count} sections", BUILD_FIX)
    first = start + _HEADER.size
    sections = tuple(
        _section(*fields, name=name)
        for fields in _SECTION.iter_unpack(image[first : first + count * _SECTION.size])
    )
    if sum(section.size_bytes for section in sections) > MAX_PAGES * PAGE_BYTES:
        raise refusal(name, "its SEV metadata declares more memory than can be measured", BUILD_FIX)
    return sections


def _section(gpa: int, size: int, kind: int, *, name: str) -> Section:
    if kind not in _TYPES:
        raise refusal(
            name, f"its SEV metadata has a section of type {kind:#x}, which is not known", BUILD_FIX
        )
    known = SectionType(kind)
    size_bytes = PAGE_BYTES if known in _ONE_PAGE else size
    if gpa % PAGE_BYTES or size_bytes % PAGE_BYTES:
        raise refusal(
            name, f"its section {known.name} at {gpa:#x} does not consist of whole pages", BUILD_FIX
        )
    return Section(known, gpa, size_bytes)


_TYPES: Final = frozenset(SectionType)
