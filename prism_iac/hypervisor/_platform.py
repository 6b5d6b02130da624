"""The simulated platform of a data folder, which signs for the VMs of this machine."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac.attestation import Launch, SimulatedGuest, SimulatedPlatform
from prism_iac.hypervisor._lock import locked

__all__ = ["launch_guest", "open_platform", "saved_root"]

_CHIP_ID_BYTES: Final = 64
_REPORT_ID_BYTES: Final = 32


def open_platform(folder: Path, *, now: Callable[[], datetime]) -> SimulatedPlatform:
    """The platform that is kept in a folder; the first call makes it, which takes some seconds."""
    if not SimulatedPlatform.is_saved_in(folder):
        with locked(folder.with_name(f"{folder.name}.lock")):
            if not SimulatedPlatform.is_saved_in(folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                chip_id = secrets.token_bytes(_CHIP_ID_BYTES)
                SimulatedPlatform.create(chip_id=chip_id, now=now()).save(folder)
    return SimulatedPlatform.load(folder)


def launch_guest(platform: SimulatedPlatform, measurement: bytes) -> SimulatedGuest:
    """A guest that the platform has measured, with a report ID of its own."""
    return SimulatedGuest(platform, Launch(measurement, report_id=secrets.token_bytes(_REPORT_ID_BYTES)))


def saved_root(folder: Path) -> bytes | None:
    """The root of the platform that is kept in a folder, PEM; None before it was made.

    Raises:
        InvalidInput: Its files are damaged.
    """
    return SimulatedPlatform.load(folder).root_pem if SimulatedPlatform.is_saved_in(folder) else None
