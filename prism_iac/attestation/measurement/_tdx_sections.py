"""What a firmware image declares for TDX: the memory that the guest is built with.

Source: Intel TDX virtual firmware design guide, TDVF descriptor; attestation.md section 4.6.
"""

from __future__ import annotations

from struct import Struct

from prism_iac.attestation.measurement._firmware import Firmware
from prism_iac.attestation.measurement._footer import TDX_METADATA, number_at
from prism_iac.attestation.measurement._guid import guid
from prism_iac.attestation.measurement._pages import MAX_PAGES, MAX_SECTIONS, PAGE_BYTES
from prism_iac.attestation.measurement._refusal import BUILD_FIX, refusal
from prism_iac.attestation.measurement._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

__all__ = ["TdxSection", "parse_tdx_sections"]

_GUID: Final = guid("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae")
_HEADER: Final = Struct("<4sIII")
_SECTION: Final = Struct("<IIQQII")
_SIGNATURE: Final = b"TDVF"
_VERSION: Final = 1

_EXTENDED: Final = 1 << 0
_AUGMENTED: Final = 1 << 1
_NAMES: Final = {0: "BFV", 1: "CFV", 2: "TD_HOB", 3: "TEMP_MEM"}
_VOLUMES: Final = (0, 1)
"""The types whose bytes together are the file."""

_MEMORY_END: Final = 1 << 52


class TdxSection(Value):
    """A range of guest memory that the firmware declares.

    Attributes:
        offset: Where its bytes begin in the image.
        raw_bytes: How many it has there; zeros follow.
        gpa: The guest physical address where it begins, a multiple of a page.
        size_bytes: How long it is, a multiple of a page.
        kind: Its type.
        attributes: Its attribute bits.
    """

    offset: int
    raw_bytes: int
    gpa: int
    size_bytes: int
    kind: int
    attributes: int

    @property
    def name(self) -> str:
        """What its type is called."""
        return _NAMES.get(self.kind, f"of type {self.kind:#x}")

    @property
    def is_added(self) -> bool:
        """Whether its pages are added while the guest is built, not while it runs (PAGE_AUG)."""
        return not self.attributes & _AUGMENTED

    @property
    def is_extended(self) -> bool:
        """Whether what its pages hold is measured (EXTENDMR)."""
        return bool(self.attributes & _EXTENDED)


def parse_tdx_sections(firmware: Firmware) -> tuple[TdxSection, ...]:
    """The sections, in the order of the image.

    Source: attestation.md section 4.6, descriptor.

    Raises:
        InvalidInput: The image has none, or they are malformed, declare more memory than any firmware does,
            or show that the image is half a firmware.
    """
    name, image = firmware.name, firmware.data
    from_end = number_at(firmware.entries, TDX_METADATA, name)
    if from_end is None:
        raise refusal(name, "has no TDX metadata: no TDX guest starts from it", "Give a build for TDX.")
    start = len(image) - from_end
    if start < len(_GUID) or from_end < _HEADER.size or image[start - len(_GUID) : start] != _GUID:
        raise refusal(name, "its TDX metadata does not lie where its table says", BUILD_FIX)
    signature, length, version, count = _HEADER.unpack_from(image, start)
    if signature != _SIGNATURE or version != _VERSION:
        raise refusal(name, "its TDX metadata has not the signature TDVF and version 1", BUILD_FIX)
    if count > MAX_SECTIONS or not _HEADER.size + count * _SECTION.size <= length <= from_end:
        raise refusal(name, f"its TDX metadata has no room for {count} sections", BUILD_FIX)
    first = start + _HEADER.size
    found = memoryview(image)[first : first + count * _SECTION.size]
    sections = tuple(TdxSection(*fields) for fields in _SECTION.iter_unpack(found))
    _check_all(sections, firmware)
    for section in sections:
        _check(section, firmware)
    return sections


def _check_all(sections: Iterable[TdxSection], firmware: Firmware) -> None:
    if sum(section.raw_bytes for section in sections if section.kind in _VOLUMES) != len(firmware.data):
        raise refusal(
            firmware.name,
            "is not a whole firmware: its volumes have another length than the file",
            "Give the file that holds code and variables, such as OVMF.fd, not OVMF_CODE.fd.",
        )
    if sum(section.size_bytes for section in sections if section.is_added) > MAX_PAGES * PAGE_BYTES:
        raise refusal(firmware.name, "its TDX metadata declares more memory than can be measured", BUILD_FIX)


def _check(section: TdxSection, firmware: Firmware) -> None:
    wrong = (
        (section.gpa % PAGE_BYTES or section.size_bytes % PAGE_BYTES, "does not consist of whole pages"),
        (section.gpa + section.size_bytes > _MEMORY_END, "reaches past the memory of any guest"),
        (section.raw_bytes > section.size_bytes, "has more bytes than memory"),
        (section.offset + section.raw_bytes > len(firmware.data), "reaches past the end of the file"),
    )
    for is_wrong, how in wrong:
        if is_wrong:
            raise refusal(firmware.name, f"its section {section.name} at {section.gpa:#x} {how}", BUILD_FIX)
