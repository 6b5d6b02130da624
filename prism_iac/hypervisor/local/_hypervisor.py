"""VMs that are processes of this machine.

What a VM has of its own: a process session that outlives whoever made it, a folder, a loopback port, a
certificate, evidence (simulated), and for its algorithms limits of memory, processes and time; algorithms see
no files but their own, where the kernel has Landlock. What it shares with the machine: the kernel, the user,
the network, and for its agent every file that this user may read. It is there to run the whole workflow on one
machine, not to protect anything from whoever runs the machine.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from prism_iac.attestation import SimulatedPlatform
from prism_iac.errors import Conflict, Finding, InvalidInput
from prism_iac.hypervisor._vm import Vm, VmSpec
from prism_iac.hypervisor.local._environment import agent_environment
from prism_iac.hypervisor.local._folder import Facts, VmFolder
from prism_iac.hypervisor.local._launch import (
    PACKAGE,
    agent_digest,
    launch_guest,
    launch_measurement,
    open_platform,
)
from prism_iac.hypervisor.local._lock import locked, locked_if_free
from prism_iac.hypervisor.local._port import LOOPBACK, reserve_port
from prism_iac.hypervisor.local._process import end_processes, is_alive
from prism_iac.hypervisor.local._start import start_behind_gate
from prism_iac.model import Platform

__all__ = ["LocalHypervisor"]

# `-P` keeps what an algorithm wrote into the working directory out of the agent's imports.
_AGENT: Final = (sys.executable, "-P", "-m", "prism_iac.agent")

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ADDRESS: Final = re.compile(r"\S+:\d{1,5}")
_GRACE_SECONDS: Final = 10.0


def _system_time() -> datetime:
    return datetime.now(UTC)


class LocalHypervisor:
    """Keeps its VMs in `<data>/vms/<id>/` and the platform that signs their evidence in `<data>/platform/`."""

    def __init__(
        self,
        data: Path,
        *,
        command: Sequence[str] = _AGENT,
        now: Callable[[], datetime] = _system_time,
        grace_seconds: float = _GRACE_SECONDS,
    ) -> None:
        """Use a data folder, which is made at the first need.

        Args:
            data: The folder.
            command: What a VM runs; its name is added as the last argument, for `ps` to show.
            now: The time, aware; dates the certificates of a new platform.
            grace_seconds: How long a VM may take to end by itself when it is removed.
        """
        self._data = data.absolute()
        self._command = tuple(command)
        self._now = now
        self._grace_seconds = grace_seconds

    def create(self, spec: VmSpec) -> Vm:
        """The VM of this id, made and started unless it runs already.

        Takes some milliseconds; the first of a data folder some seconds, to make its platform.

        Raises:
            InvalidInput: The platform is not one that can be simulated, or a field cannot be used.
            Conflict: The machine has no further process, port or space.
        """
        _check(spec)
        folder = self._folder(spec.id)
        with _files_of(spec.id), locked(self._lock(spec.id)):
            if folder.is_leftover:
                self._finish_removal(folder)
            return self._ensure_started(spec, folder)

    def start(self, vm_id: str, /) -> Vm:
        """The VM of an id, started again unless it runs; it keeps its name, port, certificate and files.

        Raises:
            Conflict: There is no such VM, or the machine has no further process or space.
        """
        folder = self._folder(vm_id)
        with _files_of(vm_id), locked(self._lock(vm_id)):
            spec = folder.spec()
            if spec is None:
                raise Conflict(
                    f"there is no VM {vm_id} on this machine", next_step="Make it with a stack update."
                )
            return self._ensure_started(spec, folder)

    def stop(self, vm_id: str, /) -> None:
        """End a VM's processes, those of its algorithm too, and keep its files; fine when none runs.

        Raises:
            Conflict: Its processes do not end.
        """
        folder = self._folder(vm_id)
        with _files_of(vm_id), locked(self._lock(vm_id)):
            if (facts := folder.facts()) is not None:
                end_processes(facts.process, grace_seconds=self._grace_seconds)

    def find(self, vm_id: str, /) -> Vm | None:
        """The VM of an id; None when there is none."""
        return self._folder(vm_id).vm() if _ID.fullmatch(vm_id) else None

    def list(self) -> tuple[Vm, ...]:
        """Every VM, by id; finishes removals that were cut off."""
        try:
            paths = sorted(path for path in self._vms.iterdir() if _ID.fullmatch(path.name))
        except FileNotFoundError:
            return ()
        folders = [VmFolder(path) for path in paths]
        for folder in folders:
            if folder.is_leftover:
                name = folder.path.name
                with _files_of(name), locked_if_free(self._lock(name)) as is_mine:
                    if is_mine and folder.is_leftover:
                        self._finish_removal(folder)
        return tuple(vm for folder in folders if (vm := folder.vm()) is not None)

    def remove(self, vm_id: str, /) -> None:
        """End a VM's processes, those of its algorithm too, and delete its folder; fine when there is none.

        Raises:
            Conflict: Its processes do not end. The next removal, or `list`, goes on from there.
        """
        folder = self._folder(vm_id)
        if not _ID.fullmatch(vm_id) or not folder.path.exists():
            return
        with _files_of(vm_id), locked(self._lock(vm_id)):
            if folder.path.exists():
                folder.mark_removing()
                self._finish_removal(folder)

    def evidence_roots(self) -> bytes | None:
        """The root of this machine's simulated platform, PEM; None before it was made.

        Raises:
            InvalidInput: Its files are damaged.
        """
        platform = self._data / "platform"
        return SimulatedPlatform.load(platform).root_pem if SimulatedPlatform.is_saved_in(platform) else None

    @cached_property
    def _agent_digest(self) -> str:
        return agent_digest(PACKAGE)

    @property
    def _vms(self) -> Path:
        return self._data / "vms"

    def _folder(self, vm_id: str) -> VmFolder:
        return VmFolder(self._vms / vm_id)

    def _lock(self, vm_id: str) -> Path:
        return self._vms / ".locks" / vm_id

    def _ensure_started(self, spec: VmSpec, folder: VmFolder) -> Vm:
        facts = folder.facts()
        if facts is not None:
            if facts.started and is_alive(facts.process):
                return _existing(folder)
            # Whoever made it died in the middle: what waits at the gate would never pass it.
            end_processes(facts.process, grace_seconds=0)
        self._start(spec, folder, port=facts.port if facts else None)
        return _existing(folder)

    def _start(self, spec: VmSpec, folder: VmFolder, *, port: int | None) -> None:
        platform = open_platform(self._data / "platform", now=self._now)
        measurement = launch_measurement(spec.platform, spec.vcpus, agent_digest=self._agent_digest)
        folder.prepare(spec)
        launch_guest(platform, measurement).save(folder.platform)
        with reserve_port(port) as holder:
            chosen: int = holder.getsockname()[1]
            environment = agent_environment(spec, folder, f"{LOOPBACK}:{chosen}")
            folder.write_environment(environment)
            with start_behind_gate(
                (*self._command, spec.name),
                environment=environment,
                folder=folder.work,
                console=folder.console,
                hand_down=(holder.fileno(),),
            ) as process:
                facts = Facts.of(spec, port=chosen, process=process.identity)
                folder.write_facts(facts)
                process.open_gate()
                folder.write_facts(facts.model_copy(update={"started": True}))

    def _finish_removal(self, folder: VmFolder) -> None:
        facts = folder.facts()
        if facts is not None:
            end_processes(facts.process, grace_seconds=self._grace_seconds)
        folder.delete()


@contextmanager
def _files_of(vm_id: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Conflict(
            f"the files of the VM {vm_id} cannot be kept: {error.strerror or error}",
            where=str(error.filename or ""),
            next_step="Look at the rights of the data folder and the space on its disk, then run this again.",
        ) from error


def _existing(folder: VmFolder) -> Vm:
    vm = folder.vm()
    if vm is None:
        raise Conflict("the VM was removed by somebody else meanwhile", next_step="Run this again.")
    return vm


def _check(spec: VmSpec) -> None:
    findings = []
    if spec.platform is not Platform.SEV_SNP:
        findings.append(
            Finding(
                path="platform",
                message=f"the local hypervisor simulates {Platform.SEV_SNP} only, not {spec.platform}",
                fix=f"Use the platform {Platform.SEV_SNP}, or a provider that has {spec.platform}.",
            )
        )
    if not _ID.fullmatch(spec.id):
        findings.append(
            Finding(path="id", message=f"{spec.id!r} cannot be the name of a folder", fix="Use a UUID.")
        )
    if not spec.name.isprintable():
        findings.append(
            Finding(
                path="name",
                message="the name has characters that cannot be shown",
                fix="Use letters and digits.",
            )
        )
    if not _ADDRESS.fullmatch(spec.control_address):
        findings.append(
            Finding(
                path="control_address",
                message=f"{spec.control_address!r} is not host:port",
                fix="Write it like 127.0.0.1:7018.",
            )
        )
    if findings:
        raise InvalidInput(findings)
