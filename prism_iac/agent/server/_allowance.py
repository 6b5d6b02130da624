"""How many bytes the participants of one computation may put on the VM's disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prism_iac.agent._protocol import Refusal
from prism_iac.agent.server._refused import Refused

__all__ = ["Allowance", "DataLimits"]

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class DataLimits:
    """What participants may send, and consumers are given.

    Attributes:
        upload_bytes: One upload.
        total_bytes: All that lies on disk for one computation, uploads under way and unpacked archives too.
        result_bytes: The files of the result together.
        archive_files: Files and folders of one archive.
        archive_ratio: How many times its own size an archive may unpack to.
    """

    upload_bytes: int = 16 * _GIB
    total_bytes: int = 64 * _GIB
    result_bytes: int = 4 * _GIB - 64 * _MIB
    archive_files: int = 100_000
    archive_ratio: int = 250


class Allowance:
    """What is left of a computation's limits."""

    def __init__(self, limits: DataLimits) -> None:
        self.limits = limits
        self._taken = 0

    @property
    def left_bytes(self) -> int:
        """How much may still come."""
        return self.limits.total_bytes - self._taken

    def take(self, size: int, *, of_upload: int) -> None:
        """Count bytes before they are written.

        Args:
            size: How many.
            of_upload: How many the upload has with them.

        Raises:
            Refused: They are too many; they are not counted then.
        """
        if of_upload > self.limits.upload_bytes:
            raise _too_large(self.limits.upload_bytes, "in one upload")
        if size > self.left_bytes:
            raise _too_large(self.limits.total_bytes, "for one computation")
        self._taken += size

    def give_back(self, size: int) -> None:
        """Count bytes that are gone from the disk."""
        self._taken -= size


def _too_large(most_bytes: int, of_what: str) -> Refused:
    return Refused(f"{Refusal.UPLOAD_TOO_LARGE}: this VM takes {most_bytes / _MIB:g} MiB {of_what}")
