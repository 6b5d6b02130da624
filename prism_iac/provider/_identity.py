"""The first part of the identities of a resource."""

from __future__ import annotations

import hashlib

__all__ = ["identity_stem"]


def identity_stem(*parts: str) -> str:
    """12 hexadecimal characters of SHA3-256.

    Args:
        parts: Of a dynamic resource what its URN is made of: project, stack, types and names. Of one of the native
            plugin the URN itself.
    """
    return hashlib.sha3_256("\n".join(parts).encode()).hexdigest()[:12]
