"""What a simulated guest has run, in the form of a kernel's list of measured files.

Source: cocos-grpc.md sections 2.2 and 7.4 (how `ima-measurements` reads it); Linux,
Documentation/security/IMA-templates.rst (template `ima-ng`).
"""

from __future__ import annotations

import asyncio
import hashlib
import struct
from pathlib import Path
from typing import Final

from prism_iac.attestation import SimulatedGuest

__all__ = ["MeasurementList"]

_REGISTER: Final = 10
_TEMPLATE: Final = "ima-ng"
_BOOT: Final = "boot_aggregate"
_REGISTER_BYTES: Final = 20
_HASH: Final = "sha256"


class MeasurementList:
    """Grows by a line for each algorithm that is run; what it stands in for is the guest's kernel.

    The first line, a kernel's digest of the registers of its boot, is SHA-256 of the guest's launch measurement.

    Attributes:
        register: What PCR 10 of the SHA-1 bank would hold, 20 bytes.

    Args:
        guest: Whose list it is.
    """

    def __init__(self, guest: SimulatedGuest) -> None:
        self.register = bytes(_REGISTER_BYTES)
        self._lines: list[str] = []
        self._append(hashlib.sha256(guest.launch.measurement).digest(), _BOOT)

    async def measure(self, file: Path) -> None:
        """Append a file that is about to be run.

        Raises:
            OSError: It cannot be read.
        """
        self._append(await asyncio.to_thread(_digest_of, file), str(file))

    def to_bytes(self) -> bytes:
        """The lines: register, template digest, template, file digest, name."""
        return "".join(self._lines).encode()

    def _append(self, digest: bytes, name: str) -> None:
        fields = (f"{_HASH}:\0".encode() + digest, f"{name}\0".encode())
        template = b"".join(struct.pack("<I", len(field)) + field for field in fields)
        entry = _sha1(template)
        self.register = _sha1(self.register + entry)
        words = (str(_REGISTER), entry.hex(), _TEMPLATE, f"{_HASH}:{digest.hex()}", name)
        self._lines.append(" ".join(words) + "\n")


def _digest_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, _HASH).digest()


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()  # the bank that the protocol carries
