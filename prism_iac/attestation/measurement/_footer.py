"""The table of GUIDs at the end of a firmware image.

Source: edk2 `OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm`; attestation.md section 1.3.
"""

from __future__ import annotations

from prism_iac.attestation.measurement._guid import guid
from prism_iac.attestation.measurement._refusal import BUILD_FIX, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

__all__ = [
    "HASH_TABLE",
    "RESET_BLOCK",
    "SEV_METADATA",
    "SVSM_INFO",
    "TDX_METADATA",
    "number_at",
    "parse_footer",
]

SEV_METADATA: Final = guid("dc886566-984a-4798-a75e-5585a7bf67cc")
RESET_BLOCK: Final = guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
HASH_TABLE: Final = guid("7255371f-3a3b-4b04-927b-1da6efa8d454")
TDX_METADATA: Final = guid("e47a6535-984a-4798-865e-4685a7bf8ec2")
SVSM_INFO: Final = guid("a789a612-0597-4c4b-a49f-cbb1fe9d1ddd")

_FOOTER: Final = guid("96b582de-1fb2-45f7-baea-a366c55a082d")
_AFTER_BYTES: Final = 32
"""What follows the table: the reset vector."""
_HEAD_BYTES: Final = 18
"""What follows the data of an entry: its length, 2 bytes, and its GUID."""


def parse_footer(image: bytes, name: str) -> Mapping[bytes, bytes]:
    """The data of each entry by its GUID; empty when the image has no table.

    Source: attestation.md section 1.3.

    Args:
        image: The whole image.
        name: What errors call it.

    Raises:
        InvalidInput: An entry is shorter than its head, reaches past the table, or is there twice.
    """
    end = len(image) - _AFTER_BYTES
    top = end - _HEAD_BYTES
    if top < 0 or image[top + 2 : end] != _FOOTER:
        return {}
    bottom = end - _length_at(image, top)
    if not 0 <= bottom <= top:
        raise refusal(name, "its table of GUIDs is longer than the image, or shorter than its end", BUILD_FIX)
    entries: dict[bytes, bytes] = {}
    while top - bottom >= _HEAD_BYTES:
        head = top - _HEAD_BYTES
        start = top - _length_at(image, head)
        key = image[head + 2 : top]
        if not bottom <= start <= head:
            raise refusal(name, "an entry of its table of GUIDs has an impossible length", BUILD_FIX)
        if key in entries:
            raise refusal(name, "an entry of its table of GUIDs is there twice", BUILD_FIX)
        entries[key] = image[start:head]
        top = start
    return entries


def number_at(entries: Mapping[bytes, bytes], key: bytes, name: str) -> int | None:
    """The 32-bit number that an entry begins with; None when there is no such entry.

    Source: attestation.md section 1.3.

    Raises:
        InvalidInput: The entry is too short for one.
    """
    entry = entries.get(key)
    if entry is None:
        return None
    if len(entry) < 4:  # noqa: PLR2004  # the bytes of a 32-bit number
        raise refusal(name, "an entry of its table of GUIDs is too short", BUILD_FIX)
    return int.from_bytes(entry[:4], "little")


def _length_at(image: bytes, offset: int) -> int:
    return int.from_bytes(image[offset : offset + 2], "little")
