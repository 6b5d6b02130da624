"""Whether the disk of the data folder has room."""

from __future__ import annotations

import shutil
from typing import Final

from prism_iac.cli._outcome import Outcome, failed, fine, skipped
from prism_iac.cli._prism import Prism, the_data_folder

__all__ = ["check_disk", "disk_outcome"]

_LEAST_BYTES: Final = 1 << 30
"""What uploads, results and the state of a few runs take."""


def check_disk(prism: Prism) -> Outcome:
    """Whether there is room for uploads and results."""
    if not prism.is_embedded:
        return skipped("Prism is not on this machine")
    folder = the_data_folder()
    place = next(path for path in (folder, *folder.parents) if path.exists())
    return disk_outcome(shutil.disk_usage(place).free, where=str(place))


def disk_outcome(free_bytes: int, *, where: str) -> Outcome:
    """What the free room of a disk means."""
    evidence = f"{free_bytes / (1 << 30):.1f} GiB free at {where}"
    if free_bytes < _LEAST_BYTES:
        return failed(
            evidence,
            cause="uploads and results may find no room",
            fix="Free at least 1 GiB, or move the data with PRISM_IAC_DATA.",
        )
    return fine(evidence)
