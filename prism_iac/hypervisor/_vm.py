"""What a VM is made of, and what a reader learns of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from prism_iac.model import LogLevel, Platform
from prism_iac.model.resources import QemuSettings, VmLimits

__all__ = ["Vm", "VmSpec"]


@dataclass(frozen=True, slots=True)
class VmSpec:
    """A VM to make; the private key is not printed.

    Attributes:
        id: Its identity at Prism; one VM for each.
        name: For people; stands on the command line of its process.
        control_address: `host:port` of the backend's control stream.
        control_ca: PEM; verifies the control stream's server.
        client_certificate: PEM; by it the backend knows the VM.
        client_key: PEM, without a passphrase.
        qemu: What the provider `qemu` starts; None for the others, and for its defaults.
    """

    id: str
    name: str
    platform: Platform
    vcpus: int
    agent_log_level: LogLevel
    control_address: str
    control_ca: bytes
    client_certificate: bytes
    client_key: bytes = field(repr=False)
    limits: VmLimits = field(default_factory=VmLimits)
    qemu: QemuSettings | None = None


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM that a hypervisor made.

    Attributes:
        agent_address: Where participants reach the agent, `host:port`.
        pid: The process that is the VM; meaningful while it is running.
        running: Whether that process lives.
        folder: Where the VM keeps its files; the console is `console.log` there.
        launch_measurement: What hardware would report of what it was started from, hexadecimal; None when
            nothing tells.
        evidence_at: Where its agent gives evidence at any time, the path of a socket or `host:port`; None when there
            is no such place.
        qemu: What QEMU was started with; None for every other process, and for its defaults.
    """

    id: str
    name: str
    agent_address: str
    pid: int
    running: bool
    platform: Platform
    vcpus: int
    agent_log_level: LogLevel
    control_address: str
    limits: VmLimits
    folder: Path
    launch_measurement: str | None = None
    evidence_at: Path | str | None = None
    qemu: QemuSettings | None = None
