"""The life of VMs that are processes of this machine, whatever those processes are.

A VM has a folder, a lock, a port and a process session that outlives whoever made it. Each step may be the last
of the one who does it; the next call finishes what it began.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict, Finding
from prism_iac.hypervisor._folder import Facts, VmFolder
from prism_iac.hypervisor._lock import locked, locked_if_free
from prism_iac.hypervisor._port import ANY_PORT, LOOPBACK, Ports, reserve_port
from prism_iac.hypervisor._process import end_processes, is_alive
from prism_iac.hypervisor._start import start_behind_gate
from prism_iac.hypervisor._vm import Vm, VmSpec

__all__ = ["GRACE_SECONDS", "Boot", "Life", "common_findings"]

GRACE_SECONDS: Final = 10.0
"""How long a VM may take to end by itself when it is removed."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ADDRESS: Final = re.compile(r"\S+:\d{1,5}")


@dataclass(frozen=True, slots=True)
class Boot:
    """What a VM's process is.

    Attributes:
        command: What it runs.
        environment: All of its environment.
        folder: Its working directory.
        launch_measurement: What hardware would report of it; None when nothing tells.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    launch_measurement: bytes | None = None


class Life:
    """VMs in the folders of one folder.

    Args:
        vms: That folder, which is made at the first need.
        boot: Lays a VM's files out and tells its process, from the VM, its folder and its ports.
        ports: Where a VM's port may be, from what it is made of.
        has_evidence_port: Whether its agent gives evidence on a port of its own.
        grace_seconds: How long a VM may take to end by itself.
        host: The address of this machine that the ports are of.
    """

    def __init__(
        self,
        vms: Path,
        *,
        boot: Callable[[VmSpec, VmFolder, Ports], Boot],
        ports: Callable[[VmSpec], Sequence[int]] = lambda _: ANY_PORT,
        has_evidence_port: Callable[[VmSpec], bool] = lambda _: False,
        grace_seconds: float = GRACE_SECONDS,
        host: str = LOOPBACK,
    ) -> None:
        self._vms = vms
        self._host = host
        self._boot = boot
        self._ports = ports
        self._has_evidence_port = has_evidence_port
        self._grace_seconds = grace_seconds

    def create(self, spec: VmSpec) -> Vm:
        """The VM of this id, made and started unless it runs already."""
        folder = self._folder(spec.id)
        with _files_of(spec.id), locked(self._lock(spec.id)):
            if folder.is_leftover:
                self._finish_removal(folder)
            return self._ensure_started(spec, folder)

    def start(self, vm_id: str, /) -> Vm:
        """The VM of an id, started again unless it runs."""
        folder = self._folder(vm_id)
        with _files_of(vm_id), locked(self._lock(vm_id)):
            spec = folder.spec()
            if spec is None:
                raise Conflict(
                    f"there is no VM {vm_id} on this machine", next_step="Make it with a stack update."
                )
            return self._ensure_started(spec, folder)

    def stop(self, vm_id: str, /) -> None:
        """End a VM's processes and keep its files; fine when none runs."""
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
        """End a VM's processes and delete its folder; fine when there is none."""
        folder = self._folder(vm_id)
        if not _ID.fullmatch(vm_id) or not folder.path.exists():
            return
        with _files_of(vm_id), locked(self._lock(vm_id)):
            if folder.path.exists():
                folder.mark_removing()
                self._finish_removal(folder)

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
        self._start(spec, folder, before=facts)
        return _existing(folder)

    def _start(self, spec: VmSpec, folder: VmFolder, *, before: Facts | None) -> None:
        with ExitStack() as stack:
            wanted = [(before.port if before else None, self._ports(spec))]
            if self._has_evidence_port(spec):
                wanted.append((before.evidence_port if before else None, ANY_PORT))
            holders = [
                stack.enter_context(reserve_port(port, host=self._host, among=among))
                for port, among in wanted
            ]
            ports = Ports(*(holder.getsockname()[1] for holder in holders))
            boot = self._boot(spec, folder, ports)
            with start_behind_gate(
                boot.command,
                environment=boot.environment,
                folder=boot.folder,
                console=folder.console,
                hand_down=[holder.fileno() for holder in holders],
            ) as process:
                facts = Facts.of(
                    spec,
                    host=self._host,
                    ports=ports,
                    process=process.identity,
                    launch_measurement=boot.launch_measurement,
                )
                folder.write_facts(facts)
                process.open_gate()
                folder.write_facts(facts.model_copy(update={"started": True}))

    def _finish_removal(self, folder: VmFolder) -> None:
        facts = folder.facts()
        if facts is not None:
            end_processes(facts.process, grace_seconds=self._grace_seconds)
        folder.delete()


def common_findings(spec: VmSpec) -> Iterator[Finding]:
    """What no VM of this machine can have."""
    if not _ID.fullmatch(spec.id):
        yield Finding(path="id", message=f"{spec.id!r} cannot be the name of a folder", fix="Use a UUID.")
    if not spec.name.isprintable():
        yield Finding(
            path="name",
            message="the name has characters that cannot be shown",
            fix="Use letters and digits.",
        )
    if not _ADDRESS.fullmatch(spec.control_address):
        yield Finding(
            path="control_address",
            message=f"{spec.control_address!r} is not host:port",
            fix="Write it like 127.0.0.1:7018.",
        )


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
