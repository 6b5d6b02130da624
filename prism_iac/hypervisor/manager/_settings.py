"""How a manager runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ManagerSettings"]


@dataclass(frozen=True, slots=True)
class ManagerSettings:
    """What a manager is told at its start.

    Attributes:
        data: The folder that it keeps everything in.
        host: Where it and the agents of its VMs listen.
        port: 0 takes a free one.
        max_vms: How many VMs it runs at once; 0 for any number.
        vcpus: How many virtual processors a VM has.
        certificate: PEM; None for a port in clear.
        key: PEM, beside `certificate`; not printed.
        client_ca: PEM; clients must show a certificate of this CA. None lets in all.
    """

    data: Path
    host: str
    port: int
    max_vms: int = 10
    vcpus: int = 2
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    client_ca: bytes | None = None
