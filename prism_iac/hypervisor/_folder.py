"""The folder of a VM of this machine: what lies where, and what the folder says of the VM's life.

    vm.json      the facts; written before the process may run
    removing     present from the moment that its removal begins
    environment  the environment of the agent, for people, without its secrets
    certs/       ca.pem, cert.pem, key.pem
    platform/    the simulated platform as the guest sees it
    work/        the agent's working directory
    console.log  what the agent prints
    evidence.sock  where the agent gives evidence at any time

The agent of a machine that QEMU emulates is inside of it: instead of the middle four there are

    shared/      what the guest sees as /etc/cocos: environment and, where it is simulated, platform/
    vars.fd      the firmware's variables, where it has some
    disk.qcow2   the disk, where it has one

A folder without facts is what a creation or removal left that was cut off: nothing runs for it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from prism_iac._private_file import write_private
from prism_iac.hypervisor._port import LOOPBACK, Ports
from prism_iac.hypervisor._process import ProcessIdentity, is_alive
from prism_iac.hypervisor._vm import Vm, VmSpec
from prism_iac.model import Document, LogLevel, Platform, address_of
from prism_iac.model.resources import QemuSettings, VmLimits

__all__ = ["Facts", "VmFolder"]


class Facts(Document):
    """What is known of a VM besides its secrets."""

    id: str
    name: str
    platform: Platform
    vcpus: int
    agent_log_level: LogLevel
    control_address: str
    limits: VmLimits
    host: str = LOOPBACK
    port: int
    evidence_port: int | None = None
    process: ProcessIdentity
    qemu: QemuSettings | None = None
    launch_measurement: str | None = None
    """What hardware would report of it, hexadecimal."""

    started: bool
    """Whether the gate was opened, after which the process is the VM."""

    @classmethod
    def of(
        cls,
        spec: VmSpec,
        *,
        host: str,
        ports: Ports,
        process: ProcessIdentity,
        launch_measurement: bytes | None = None,
    ) -> Facts:
        """The facts of a VM whose process waits at its gate."""
        return cls(
            id=spec.id,
            name=spec.name,
            platform=spec.platform,
            vcpus=spec.vcpus,
            agent_log_level=spec.agent_log_level,
            control_address=spec.control_address,
            limits=spec.limits,
            host=host,
            port=ports.agent,
            evidence_port=ports.evidence,
            process=process,
            qemu=spec.qemu,
            launch_measurement=launch_measurement.hex() if launch_measurement else None,
            started=False,
        )


@dataclass(frozen=True, slots=True)
class VmFolder:
    """One VM's folder; it may be absent."""

    path: Path

    @property
    def work(self) -> Path:
        """The agent's working directory."""
        return self.path / "work"

    @property
    def platform(self) -> Path:
        """The simulated platform as the guest sees it."""
        return self.path / "platform"

    @property
    def console(self) -> Path:
        """What the agent prints."""
        return self.path / "console.log"

    @property
    def evidence_socket(self) -> Path:
        """Where the agent gives evidence."""
        return self.path / "evidence.sock"

    @property
    def shared(self) -> Path:
        """What a guest sees as /etc/cocos."""
        return self.path / "shared"

    @property
    def variables(self) -> Path:
        """The variables of a guest's firmware."""
        return self.path / "vars.fd"

    @property
    def disk(self) -> Path:
        """The disk of a guest."""
        return self.path / "disk.qcow2"

    @property
    def ca(self) -> Path:
        """Verifies the control stream's server."""
        return self.path / "certs" / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The VM's certificate."""
        return self.path / "certs" / "cert.pem"

    @property
    def key(self) -> Path:
        """The VM's private key."""
        return self.path / "certs" / "key.pem"

    @property
    def is_leftover(self) -> bool:
        """Whether a creation or a removal was cut off here, if nobody is at it now."""
        return self.path.exists() and (self._removing.exists() or self.facts() is None)

    def facts(self) -> Facts | None:
        """The facts; None when there are none that can be read."""
        try:
            return Facts.model_validate_json(self._facts.read_bytes())
        except (OSError, ValidationError):
            return None

    def vm(self) -> Vm | None:
        """The VM; None when there is none, or its removal has begun."""
        facts = self._facts_of_vm()
        if facts is None:
            return None
        return Vm(
            id=facts.id,
            name=facts.name,
            agent_address=address_of(facts.host, facts.port),
            pid=facts.process.pid,
            running=is_alive(facts.process),
            platform=facts.platform,
            vcpus=facts.vcpus,
            agent_log_level=facts.agent_log_level,
            control_address=facts.control_address,
            limits=facts.limits,
            folder=self.path,
            launch_measurement=facts.launch_measurement,
            evidence_at=self._evidence_at(facts),
            qemu=facts.qemu,
        )

    def _evidence_at(self, facts: Facts) -> Path | str | None:
        if facts.evidence_port is not None:
            return address_of(facts.host, facts.evidence_port)
        # The agent of a guest has no folder of this machine to answer in.
        return self.evidence_socket if facts.qemu is None else None

    def spec(self) -> VmSpec | None:
        """What the VM was made from; None when there is no VM."""
        facts = self._facts_of_vm()
        if facts is None:
            return None
        return VmSpec(
            id=facts.id,
            name=facts.name,
            platform=facts.platform,
            vcpus=facts.vcpus,
            agent_log_level=facts.agent_log_level,
            control_address=facts.control_address,
            control_ca=self.ca.read_bytes(),
            client_certificate=self.certificate.read_bytes(),
            client_key=self.key.read_bytes(),
            limits=facts.limits,
            qemu=facts.qemu,
        )

    def prepare(self, spec: VmSpec, *folders: Path) -> None:
        """Make the folder, and folders in it, with what does not change while the VM lives."""
        for folder in (self.path, self.key.parent, *folders):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, content in (
            (self.ca, spec.control_ca),
            (self.certificate, spec.client_certificate),
            (self.key, spec.client_key),
        ):
            write_private(path, content)

    def write_environment(self, environment: Mapping[str, str], *, into: Path | None = None) -> None:
        """Note the environment of the agent, in a folder of the VM's."""
        lines = "".join(f"{name}={value}\n" for name, value in environment.items())
        write_private((into or self.path) / "environment", lines.encode())

    def write_facts(self, facts: Facts) -> None:
        """Note the facts, whole or not at all."""
        write_private(self._facts, facts.model_dump_json(indent=2).encode())

    def mark_removing(self) -> None:
        """Begin the removal: from here on there is no VM, only work left to do."""
        self._removing.touch(mode=0o600)

    def delete(self) -> None:
        """Remove every file; nothing may run here any more."""
        self._facts.unlink(missing_ok=True)  # first: a folder cut off here must not look like a VM
        try:
            shutil.rmtree(self.path)
        except PermissionError:
            # An algorithm may leave folders that their owner cannot enter.
            for folder, _, _ in os.walk(self.path):
                Path(folder).chmod(0o700)
            shutil.rmtree(self.path)

    def _facts_of_vm(self) -> Facts | None:
        """The facts while there is a VM: not once its removal has begun."""
        return None if self._removing.exists() else self.facts()

    @property
    def _facts(self) -> Path:
        return self.path / "vm.json"

    @property
    def _removing(self) -> Path:
        return self.path / "removing"
