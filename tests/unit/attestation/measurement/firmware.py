"""A firmware that anyone can build: `attestation.md` section 6.3, and variations of it."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable, Mapping
from hashlib import sha256

__all__ = [
    "FOOTER",
    "HASH_TABLE",
    "RESET_BLOCK",
    "SECTIONS",
    "SEV_METADATA",
    "SVSM_INFO",
    "TDX_METADATA",
    "TdxSection",
    "entries_of",
    "firmware",
    "footer",
    "sev_metadata",
    "tdx_metadata",
    "tdx_sections",
    "words",
]

FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d"
TDX_METADATA = "e47a6535-984a-4798-865e-4685a7bf8ec2"
SEV_METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc"
HASH_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454"
SECRET_BLOCK = "4c2eb361-7d9b-4cc3-8081-127c90d3d294"
RESET_BLOCK = "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
SVSM_INFO = "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd"
TDX_DESCRIPTOR = "e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae"

SEV_OFFSET = 0x400
TDX_OFFSET = 0x5F0

TdxSection = tuple[int, int, int, int, int, int]

SECTIONS = (
    (0x800000, 0x9000, 1),
    (0x80A000, 0x3000, 1),
    (0x80D000, 0x1000, 2),
    (0x80E000, 0x1000, 3),
    (0x80F000, 0x1000, 4),
    (0x810000, 0x1000, 0x10),
    (0x811000, 0xF000, 1),
)


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def entries_of(
    *, hash_table: int | None = 0x810C00, reset_eip: int | None = 0x80B004, has_sev: bool = True
) -> dict[str, bytes]:
    """The entries of the table of GUIDs, from low to high address."""
    entries = {
        TDX_METADATA: words(TDX_OFFSET),
        SEV_METADATA: words(SEV_OFFSET) if has_sev else None,
        HASH_TABLE: None if hash_table is None else words(hash_table, 0x400),
        SECRET_BLOCK: words(0x810000, 0xC00),
        RESET_BLOCK: None if reset_eip is None else words(reset_eip),
    }
    return {key: data for key, data in entries.items() if data is not None}


def footer(entries: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    table = b"".join(
        data + struct.pack("<H", len(data) + 18) + uuid.UUID(key).bytes_le for key, data in pairs
    )
    return table + struct.pack("<H", len(table) + 18) + uuid.UUID(FOOTER).bytes_le


def sev_metadata(sections: Iterable[tuple[int, int, int]]) -> bytes:
    body = b"".join(words(*section) for section in sections)
    return b"ASEV" + words(16 + len(body), 1, len(body) // 12) + body


def tdx_sections(size: int) -> tuple[TdxSection, ...]:
    start = (1 << 32) - size
    return (
        (0x1000, size - 0x1000, start + 0x1000, size - 0x1000, 0, 1),
        (0, 0x1000, start, 0x1000, 1, 0),
        (0, 0, 0x810000, 0x10000, 3, 0),
        (0, 0, 0x80B000, 0x2000, 3, 0),
        (0, 0, 0x809000, 0x2000, 2, 0),
        (0, 0, 0x800000, 0x6000, 3, 0),
    )


def tdx_metadata(sections: Iterable[TdxSection]) -> bytes:
    """The GUID and the descriptor that follows it."""
    body = b"".join(struct.pack("<IIQQII", *section) for section in sections)
    return uuid.UUID(TDX_DESCRIPTOR).bytes_le + b"TDVF" + words(16 + len(body), 1, len(body) // 32) + body


def firmware(
    size: int = 0x10000,
    *,
    table: bytes | None = None,
    sev: bytes | None = None,
    tdx: bytes | None = None,
) -> bytes:
    """An image of a size, with the given table of GUIDs and metadata instead of its own."""
    image = bytearray(b"".join(sha256(struct.pack("<Q", i)).digest() for i in range(size // 32)))
    overlays = {
        size - TDX_OFFSET - 16: tdx_metadata(tdx_sections(size)) if tdx is None else tdx,
        size - SEV_OFFSET: sev_metadata(SECTIONS) if sev is None else sev,
    }
    table = footer(entries_of()) if table is None else table
    overlays[size - 32 - len(table)] = table
    for offset, content in overlays.items():
        image[offset : offset + len(content)] = content
    return bytes(image)
