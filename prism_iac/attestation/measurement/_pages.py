"""The chain over pages that the processor keeps while a guest is launched.

Source: AMD 56860 §8.17.2, table 67 (PAGE_INFO); attestation.md section 1.2.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import sha384
from typing import Final

__all__ = [
    "DIGEST_BYTES",
    "MAX_PAGES",
    "PAGE_BYTES",
    "START",
    "PageType",
    "extend",
    "extend_data",
    "extend_range",
]

PAGE_BYTES: Final = 4096
DIGEST_BYTES: Final = 48
MAX_PAGES: Final = 1 << 16
"""More than any firmware declares (256 MiB); it bounds the work that a malformed one can ask for."""

START: Final = bytes(DIGEST_BYTES)
"""The launch digest before the first page."""

_ERASED: Final = b"\xff" * PAGE_BYTES
"""What a quarter to a half of the pages of a firmware image are: flash that holds nothing."""
_ERASED_DIGEST: Final = sha384(_ERASED).digest()

_NO_CONTENTS: Final = bytes(DIGEST_BYTES)
_PAGE_INFO_BYTES: Final = 0x70


class PageType(IntEnum):
    """PAGE_TYPE; AMD 56860 §8.17.2, table 67."""

    NORMAL = 1
    VMSA = 2
    ZERO = 3
    UNMEASURED = 4
    SECRETS = 5
    CPUID = 6


def extend(
    digest: bytes, kind: PageType, gpa: int, contents: bytes = _NO_CONTENTS, *, times: int = 1
) -> bytes:
    """The launch digest after a page.

    Source: AMD 56860 §8.17.2; attestation.md section 1.2.

    Args:
        digest: The launch digest before it, 48 bytes.
        kind: Its type.
        gpa: Its guest physical address.
        contents: The SHA-384 of its bytes where its type has any that count.
        times: How often the same page follows itself.
    """
    rest = contents + _info(kind) + gpa.to_bytes(8, "little")
    for _ in range(times):
        digest = sha384(digest + rest).digest()
    return digest


def extend_range(digest: bytes, kind: PageType, gpa: int, size_bytes: int) -> bytes:
    """The launch digest after the pages of a range whose bytes do not count.

    Source: attestation.md section 1.2.
    """
    rest = _NO_CONTENTS + _info(kind)
    for address in range(gpa, gpa + size_bytes, PAGE_BYTES):
        digest = sha384(digest + rest + address.to_bytes(8, "little")).digest()
    return digest


def extend_data(digest: bytes, gpa: int, data: bytes) -> bytes:
    """The launch digest after NORMAL pages that hold bytes, a multiple of a page.

    Source: attestation.md section 1.2.
    """
    info = _info(PageType.NORMAL)
    pages = memoryview(data)
    for offset in range(0, len(data), PAGE_BYTES):
        contents = (
            _ERASED_DIGEST
            if data.startswith(_ERASED, offset)
            else sha384(pages[offset : offset + PAGE_BYTES]).digest()
        )
        digest = sha384(digest + contents + info + (gpa + offset).to_bytes(8, "little")).digest()
    return digest


def _info(kind: PageType) -> bytes:
    """LENGTH, PAGE_TYPE, and the fields that are zero at launch: IMI_PAGE and the permissions of VMPLs."""
    return _PAGE_INFO_BYTES.to_bytes(2, "little") + bytes((kind, 0, 0, 0, 0, 0))
