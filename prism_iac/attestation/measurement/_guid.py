"""GUIDs as firmware stores them."""

from __future__ import annotations

__all__ = ["guid"]


def guid(text: str) -> bytes:
    """The 16 bytes of a GUID in EFI order: the first three groups little-endian, the others as written.

    Source: UEFI 2.10, appendix A; attestation.md section 0.
    """
    low, middle, high, *rest = (bytes.fromhex(group) for group in text.split("-"))
    return b"".join((low[::-1], middle[::-1], high[::-1], *rest))
