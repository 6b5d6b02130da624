"""A firmware image: its bytes, what its tables say, and what measuring it has found so far."""

from __future__ import annotations

from hashlib import sha256

from prism_iac.attestation.measurement._footer import (
    HASH_TABLE,
    RESET_BLOCK,
    SEV_METADATA,
    SVSM_INFO,
    number_at,
    parse_footer,
)
from prism_iac.attestation.measurement._pages import PAGE_BYTES, START, extend_data
from prism_iac.attestation.measurement._refusal import BUILD_FIX, refusal
from prism_iac.attestation.measurement._sections import Section, parse_sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash
    from os import PathLike
    from typing import Final

    StrPath = str | PathLike[str]

__all__ = ["Firmware"]

_END: Final = 1 << 32
"""The guest physical address where firmware ends: 4 GiB."""


class Firmware:
    """An image that a VM starts from: OVMF, or the SVSM that starts it.

    It keeps what takes long to find out: who measures many launches with one image hands in the same object and
    pays for its pages once. Images are compared by their bytes.

    Attributes:
        data: The bytes.
        name: What errors call it.
        entries: What its table of GUIDs holds; empty when it has none. Source: attestation.md section 1.3.
    """

    def __init__(self, data: bytes, *, name: str = "ovmf") -> None:
        """Take the bytes of an image.

        Raises:
            InvalidInput: There are none, more than lie below 4 GiB, or the table of GUIDs is malformed.
        """
        if not 0 < len(data) < _END:
            raise refusal(name, f"no firmware has {len(data)} bytes", BUILD_FIX)
        self.data: Final = data
        self.name: Final = name
        self.entries: Final = parse_footer(data, name)
        self._sha256: _Hash | None = None
        self._snp_hash: bytes | None = None

    @classmethod
    def load(cls, path: StrPath, *, name: str = "ovmf") -> Firmware:
        """The image in a file.

        Raises:
            InvalidInput: The file is empty, too long, or its table of GUIDs is malformed.
            OSError: It cannot be read.
        """
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # `pathlib` and a buffer cost more than parsing
            return cls(file.read(), name=name)

    def __eq__(self, other: object) -> bool:
        return self.data == other.data if isinstance(other, Firmware) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"Firmware({len(self.data)} bytes, name={self.name!r})"

    @property
    def gpa(self) -> int:
        """Where it lies when it ends at 4 GiB; attestation.md section 1.2."""
        return _END - len(self.data)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The memory that it declares for SEV-SNP.

        Source: attestation.md section 1.4.

        Raises:
            InvalidInput: It declares none, or they are malformed.
        """
        from_end = number_at(self.entries, SEV_METADATA, self.name)
        if from_end is None:
            raise refusal(
                self.name,
                "has no SEV metadata: no SEV-SNP guest starts from it",
                "Give a build for SEV-SNP; of a pair of files, the one with the code.",
            )
        return parse_sections(self.data, from_end, self.name)

    @property
    def reset_eip(self) -> int:
        """Where vCPUs other than the first begin; 0 when it does not say.

        Source: attestation.md section 1.3, SEV_ES_RESET_BLOCK.

        Raises:
            InvalidInput: The entry is too short.
        """
        return number_at(self.entries, RESET_BLOCK, self.name) or 0

    @property
    def hash_table_gpa(self) -> int:
        """Where it expects the hashes of a kernel; 0 when it expects none.

        Source: attestation.md section 1.3, SEV hash table.

        Raises:
            InvalidInput: The entry is too short.
        """
        return number_at(self.entries, HASH_TABLE, self.name) or 0

    @property
    def svsm_entry(self) -> int | None:
        """Where vCPUs begin, from its first byte; None when it is no SVSM.

        Source: attestation.md section 1.3, SVSM info.

        Raises:
            InvalidInput: The entry is too short.
        """
        return number_at(self.entries, SVSM_INFO, self.name)

    @property
    def snp_hash(self) -> bytes:
        """The SEV-SNP launch digest after its pages, 48 bytes: what tools call the OVMF hash.

        Source: attestation.md section 1.2, step 1.

        Raises:
            InvalidInput: It does not consist of whole pages.
        """
        if self._snp_hash is None:
            self._snp_hash = self.extend(START, self.gpa)
        return self._snp_hash

    def extend(self, digest: bytes, gpa: int) -> bytes:
        """A SEV-SNP launch digest after its pages at an address.

        Source: attestation.md section 1.2.

        Raises:
            InvalidInput: It does not consist of whole pages.
        """
        if len(self.data) % PAGE_BYTES:
            raise refusal(self.name, f"its {len(self.data)} bytes are no whole pages", BUILD_FIX)
        return extend_data(digest, gpa, self.data)

    def sha256(self, *more: bytes) -> bytes:
        """SHA-256 of the file and of what follows it: the launch digest of SEV; attestation.md section 1.1."""
        if self._sha256 is None:
            self._sha256 = sha256(self.data)
        found = self._sha256.copy()
        for part in more:
            found.update(part)
        return found.digest()
