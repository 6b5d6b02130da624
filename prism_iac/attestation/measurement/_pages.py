"""The chain over pages that the processor keeps while a guest is launched.

Source: AMD 56860 §8.17.2, table 67 (PAGE_INFO); attestation.md section 1.2.
"""

from __future__ import annotations

from hashlib import sha384

from prism_iac.attestation.measurement._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = [
    "CPUID",
    "DIGEST_BYTES",
    "MAX_PAGES",
    "MAX_SECTIONS",
    "NORMAL",
    "PAGE_BYTES",
    "SECRETS",
    "START",
    "UNMEASURED",
    "VMSA",
    "ZERO",
    "PageType",
    "extend",
    "extend_data",
    "extend_range",
    "pages_at",
]

PAGE_BYTES: Final = 4096
DIGEST_BYTES: Final = 48
MAX_PAGES: Final = 1 << 16
MAX_SECTIONS: Final = 1 << 10
"""More than any firmware declares, of memory (256 MiB) and of sections; they bound the work that a malformed one
can ask for."""

START: Final = bytes(DIGEST_BYTES)
"""The launch digest before the first page."""

_ERASED: Final = b"\xff" * PAGE_BYTES
"""What a quarter to a half of the pages of a firmware image are: flash that holds nothing."""
_ERASED_DIGEST: Final = sha384(_ERASED).digest()

_NO_CONTENTS: Final = bytes(DIGEST_BYTES)


class PageType(Value):
    """PAGE_TYPE; AMD 56860 §8.17.2, table 67.

    Attributes:
        number: Its number.
        name: Its name.
    """

    number: int
    name: str

    @property
    def info(self) -> bytes:
        """LENGTH, PAGE_TYPE, and what is zero at launch: IMI_PAGE and the permissions of VMPLs."""
        return bytes((0x70, 0, self.number, 0, 0, 0, 0, 0))


NORMAL: Final = PageType(1, "NORMAL")
VMSA: Final = PageType(2, "VMSA")
ZERO: Final = PageType(3, "ZERO")
UNMEASURED: Final = PageType(4, "UNMEASURED")
SECRETS: Final = PageType(5, "SECRETS")
CPUID: Final = PageType(6, "CPUID")


def extend(digest: bytes, kind: PageType, gpa: int, contents: bytes, *, times: int = 1) -> bytes:
    """The launch digest after a page whose bytes count.

    Source: AMD 56860 §8.17.2; attestation.md section 1.2.

    Args:
        digest: The launch digest before it, 48 bytes.
        kind: Its type.
        gpa: Its guest physical address.
        contents: The SHA-384 of its bytes.
        times: How often the same page follows itself.
    """
    rest = contents + kind.info + gpa.to_bytes(8, "little")
    for _ in range(times):
        digest = sha384(digest + rest).digest()
    return digest


def extend_range(digest: bytes, kind: PageType, gpa: int, size_bytes: int) -> bytes:
    """The launch digest after the pages of a range whose bytes do not count.

    Source: attestation.md section 1.2.
    """
    rest = _NO_CONTENTS + kind.info
    for address in range(gpa, gpa + size_bytes, PAGE_BYTES):
        digest = sha384(digest + rest + address.to_bytes(8, "little")).digest()
    return digest


def extend_data(digest: bytes, gpa: int, data: bytes) -> bytes:
    """The launch digest after NORMAL pages that hold bytes, a multiple of a page.

    Source: attestation.md section 1.2.
    """
    info = NORMAL.info
    pages = memoryview(data)
    for offset in range(0, len(data), PAGE_BYTES):
        contents = (
            _ERASED_DIGEST
            if data.startswith(_ERASED, offset)
            else sha384(pages[offset : offset + PAGE_BYTES]).digest()
        )
        digest = sha384(digest + contents + info + (gpa + offset).to_bytes(8, "little")).digest()
    return digest


def pages_at(kind: PageType, gpa: int, size_bytes: int) -> str:
    """Says which pages of a range were added."""
    count = size_bytes // PAGE_BYTES
    return f"{count} {kind.name} {'page' if count == 1 else 'pages'} at {gpa:#x}"
