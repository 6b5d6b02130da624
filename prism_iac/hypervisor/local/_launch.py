"""The launch of a local VM: what is measured, and the platform that signs for it.

There is no firmware to measure. The launch measurement is SHA-384 over a description of the VM, in a form
that has a version:

    {"agent": "<SHA-384 of the agent's code>", "form": 1, "package": "<version>",
     "platform": "sev-snp", "vcpus": 2}

as JSON with sorted keys and no white space. The agent's code is every Python file of the rooms that it is
made of: for each, in the order of their paths, path, NUL, SHA-384 of the content, newline.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac._version import __version__
from prism_iac.attestation import Launch, SimulatedGuest, SimulatedPlatform
from prism_iac.hypervisor.local._lock import locked
from prism_iac.model import Platform

__all__ = ["PACKAGE", "agent_digest", "launch_guest", "launch_measurement", "open_platform"]

PACKAGE: Final = Path(__file__).parents[2]
"""The folder of the package, whose agent a VM runs."""

_FORM: Final = 1
_AGENT_ROOMS: Final = ("agent", "attestation", "model", "pki", "wire")
_CHIP_ID_BYTES: Final = 64
_REPORT_ID_BYTES: Final = 32


def launch_measurement(platform: Platform, vcpus: int, *, agent_digest: str) -> bytes:
    """The launch measurement of a local VM, 48 bytes."""
    description = {
        "agent": agent_digest,
        "form": _FORM,
        "package": __version__,
        "platform": platform.value,
        "vcpus": vcpus,
    }
    return hashlib.sha384(json.dumps(description, sort_keys=True, separators=(",", ":")).encode()).digest()


def agent_digest(package: Path) -> str:
    """The digest of the agent's code in a package's folder, as the description holds it."""
    digest = hashlib.sha384()
    for room in _AGENT_ROOMS:
        for file in sorted((package / room).rglob("*.py")):
            content = hashlib.sha384(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(package).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


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
