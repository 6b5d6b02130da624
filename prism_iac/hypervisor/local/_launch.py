"""The launch of a local VM: what is measured.

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
from pathlib import Path
from typing import Final

from prism_iac._version import __version__
from prism_iac.model import Platform

__all__ = ["PACKAGE", "agent_digest", "launch_measurement"]

PACKAGE: Final = Path(__file__).parents[2]
"""The folder of the package, whose agent a VM runs."""

_FORM: Final = 1
_AGENT_ROOMS: Final = ("agent", "attestation", "model", "pki", "wire")


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
