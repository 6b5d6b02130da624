"""VMs that are processes of this machine.

What a VM has of its own: a process session that outlives whoever made it, a folder, a loopback port, a
certificate, evidence (simulated), and for its algorithms limits of memory, processes and time; algorithms see
no files but their own, where the kernel has Landlock. What it shares with the machine: the kernel, the user,
the network, and for its agent every file that this user may read. It is there to run the whole workflow on one
machine, not to protect anything from whoever runs the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.hypervisor._clock import system_time
from prism_iac.hypervisor._folder import VmFolder
from prism_iac.hypervisor._life import GRACE_SECONDS, Boot, Life, common_findings
from prism_iac.hypervisor._platform import launch_guest, open_platform, saved_root
from prism_iac.hypervisor._port import LOOPBACK, Ports
from prism_iac.hypervisor._vm import Vm, VmSpec
from prism_iac.hypervisor.local._environment import SECRETS, agent_environment
from prism_iac.hypervisor.local._launch import PACKAGE, agent_digest, launch_measurement
from prism_iac.model import Platform, address_of

__all__ = ["LocalHypervisor"]

# `-P` keeps what an algorithm wrote into the working directory out of the agent's imports.
_AGENT: Final = (sys.executable, "-P", "-m", "prism_iac.agent")


class LocalHypervisor:
    """Keeps its VMs in `<data>/vms/<id>/` and the platform that signs their evidence in `<data>/platform/`."""

    def __init__(
        self,
        data: Path,
        *,
        command: Sequence[str] = _AGENT,
        now: Callable[[], datetime] = system_time,
        grace_seconds: float = GRACE_SECONDS,
        host: str = LOOPBACK,
    ) -> None:
        """Use a data folder, which is made at the first need.

        Args:
            data: The folder.
            command: What a VM runs; its name is added as the last argument, for `ps` to show.
            now: The time, aware; dates the certificates of a new platform.
            grace_seconds: How long a VM may take to end by itself when it is removed.
            host: The address of this machine that agents listen on.
        """
        self._platform = data.absolute() / "platform"
        self._command = tuple(command)
        self._now = now
        self._host = host
        self._life = Life(data.absolute() / "vms", boot=self._boot, grace_seconds=grace_seconds, host=host)

    def create(self, spec: VmSpec) -> Vm:
        """The VM of this id, made and started unless it runs already.

        Takes some milliseconds; the first of a data folder some seconds, to make its platform.

        Raises:
            InvalidInput: The platform is not one that can be simulated, or a field cannot be used.
            Conflict: The machine has no further process, port or space.
        """
        _check(spec)
        return self._life.create(spec)

    def start(self, vm_id: str, /) -> Vm:
        """The VM of an id, started again unless it runs; it keeps its name, port, certificate and files.

        Raises:
            Conflict: There is no such VM, or the machine has no further process or space.
        """
        return self._life.start(vm_id)

    def stop(self, vm_id: str, /) -> None:
        """End a VM's processes, those of its algorithm too, and keep its files; fine when none runs.

        Raises:
            Conflict: Its processes do not end.
        """
        self._life.stop(vm_id)

    def find(self, vm_id: str, /) -> Vm | None:
        """The VM of an id; None when there is none."""
        return self._life.find(vm_id)

    def list(self) -> tuple[Vm, ...]:
        """Every VM, by id; finishes removals that were cut off."""
        return self._life.list()

    def remove(self, vm_id: str, /) -> None:
        """End a VM's processes, those of its algorithm too, and delete its folder; fine when there is none.

        Raises:
            Conflict: Its processes do not end. The next removal, or `list`, goes on from there.
        """
        self._life.remove(vm_id)

    def evidence_roots(self) -> bytes | None:
        """The root of this machine's simulated platform, PEM; None before it was made.

        Raises:
            InvalidInput: Its files are damaged.
        """
        return saved_root(self._platform)

    @cached_property
    def _agent_digest(self) -> str:
        return agent_digest(PACKAGE)

    def _boot(self, spec: VmSpec, folder: VmFolder, ports: Ports) -> Boot:
        platform = open_platform(self._platform, now=self._now)
        measurement = launch_measurement(spec.platform, spec.vcpus, agent_digest=self._agent_digest)
        folder.prepare(spec, folder.work, folder.platform)
        launch_guest(platform, measurement).save(folder.platform)
        environment = agent_environment(spec, folder, address_of(self._host, ports.agent))
        folder.write_environment({name: value for name, value in environment.items() if name not in SECRETS})
        return Boot((*self._command, spec.name), environment, folder.work, measurement)


def _check(spec: VmSpec) -> None:
    findings = list(common_findings(spec))
    if spec.platform is not Platform.SEV_SNP:
        findings.append(
            Finding(
                path="platform",
                message=f"the local hypervisor simulates {Platform.SEV_SNP} only, not {spec.platform}",
                fix=f"Use the platform {Platform.SEV_SNP}, or a provider that has {spec.platform}.",
            )
        )
    if findings:
        raise InvalidInput(findings)
