"""A file that a participant is sending."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from prism_iac.agent.server._allowance import Allowance

__all__ = ["IncomingFile"]


class IncomingFile:
    """Written to disk and hashed block by block; gone when the `with` block ends, unless it was kept.

    Attributes:
        path: Where it lies for the time being.
        size_bytes: What has been written.

    Args:
        folder: On the file system of the place where it may be kept.
        allowance: What its bytes are counted against, until it is gone; None for what has bounds of its own.
    """

    def __init__(self, folder: Path, allowance: Allowance | None = None) -> None:
        self._allowance = allowance
        descriptor, name = tempfile.mkstemp(dir=folder)
        self._file = os.fdopen(descriptor, "wb")
        self._digest = hashlib.sha3_256()
        self._is_kept = False
        self.path = Path(name)
        self.size_bytes = 0
        self._counted_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if not self._is_kept:
            self.path.unlink(missing_ok=True)
            if self._allowance is not None:
                self._allowance.give_back(self._counted_bytes)

    async def write(self, block: bytes) -> None:
        """Append a block.

        Raises:
            Refused: There is more than participants may send.
            OSError: The disk does not take it.
        """
        if not block:
            return
        if self._allowance is not None:
            self._allowance.take(len(block), of_upload=self._counted_bytes + len(block))
            self._counted_bytes += len(block)
        await asyncio.to_thread(self._write, block)

    def _write(self, block: bytes) -> None:
        self._file.write(block)
        self._digest.update(block)
        self.size_bytes += len(block)

    def finish(self) -> bytes:
        """Close the file; gives the SHA3-256 digest, 32 bytes.

        Raises:
            OSError: The disk does not take the last bytes.
        """
        self._file.close()
        return self._digest.digest()

    def keep_as(self, place: Path, mode: int) -> None:
        """Move the finished file to its place, with these rights.

        Raises:
            OSError: The place cannot be written.
        """
        self.path.chmod(mode)
        self.path.rename(place)
        self._is_kept = True
