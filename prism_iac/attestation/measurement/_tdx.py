"""The measurement of a TDX guest as it is built, MRTD.

Source: Intel TDX module specification, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND; attestation.md section 4.6.
"""

from __future__ import annotations

from hashlib import sha384
from struct import Struct

from prism_iac.attestation.measurement._firmware import Firmware
from prism_iac.attestation.measurement._launch import TdxLaunch
from prism_iac.attestation.measurement._pages import PAGE_BYTES
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._tdx_sections import TdxSection, parse_tdx_sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

__all__ = ["measure_tdx"]

_EVENT: Final = Struct("<16sQ104x")
_ADD: Final = b"MEM.PAGE.ADD"
_EXTEND: Final = b"MR.EXTEND"
_CHUNK_BYTES: Final = 256


def measure_tdx(launch: TdxLaunch) -> Measurement:
    """Over the pages that the firmware declares, and over what those hold that are to be measured.

    Source: attestation.md section 4.6.

    Raises:
        InvalidInput: The firmware is malformed, not for TDX, or half of one.
    """
    firmware = launch.firmware
    sections = [section for section in parse_tdx_sections(firmware) if section.is_added]
    found = sha384()
    for section in sections:
        for event in _events(section, launch):
            found.update(event)
    return Measurement(found.digest(), tuple(_part(section, launch) for section in sections))


def _events(section: TdxSection, launch: TdxLaunch) -> Iterator[bytes]:
    pages = range(section.gpa, section.gpa + section.size_bytes, PAGE_BYTES)
    added_first = launch.is_two_pass or not section.is_extended
    if added_first:
        yield from (_EVENT.pack(_ADD, gpa) for gpa in pages)
    if section.is_extended:
        contents = _contents(section, launch.firmware)
        for gpa in pages:
            added = b"" if added_first else _EVENT.pack(_ADD, gpa)
            offset = gpa - section.gpa
            yield added + _extended(gpa, contents[offset : offset + PAGE_BYTES].ljust(PAGE_BYTES, b"\0"))


def _extended(gpa: int, page: bytes) -> bytes:
    """The event of each chunk of a page, followed by its bytes."""
    return b"".join(
        part
        for offset in range(0, PAGE_BYTES, _CHUNK_BYTES)
        for part in (_EVENT.pack(_EXTEND, gpa + offset), page[offset : offset + _CHUNK_BYTES])
    )


def _contents(section: TdxSection, firmware: Firmware) -> bytes:
    return firmware.data[section.offset : section.offset + section.raw_bytes]


def _part(section: TdxSection, launch: TdxLaunch) -> Part:
    count = section.size_bytes // PAGE_BYTES
    detail = f"{count} {'page' if count == 1 else 'pages'} added at {section.gpa:#x}"
    if not section.is_extended:
        return Part(f"section {section.name}", detail)
    digest = sha384(_contents(section, launch.firmware)).digest()
    return Part(
        f"section {section.name}",
        f"{detail}, contents measured {'after all' if launch.is_two_pass else 'one by one'}",
        digest,
    )
