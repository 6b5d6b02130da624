"""The VMs of a manager: how many there may be, and when each ends.

    <data>/vms/<id>/   the VM, kept by the local hypervisor
    <data>/ends/<id>   when it is to be removed, RFC 3339; written before the VM is made

So a manager that was ended, or killed, ends each VM in time when it is back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prism_iac._private_file import write_private
from prism_iac.attestation import SimulatedGuest, policy_from_evidence
from prism_iac.attestation.policy import PolicyFile, PolicyForm
from prism_iac.errors import Conflict, PrismError
from prism_iac.hypervisor._manager_protocol import LIMIT_REACHED
from prism_iac.hypervisor._vm import Vm, VmSpec
from prism_iac.hypervisor.local import LocalHypervisor

__all__ = ["Fleet"]

_log = logging.getLogger(__name__)

_NOTHING_TO_BIND = bytes(64)


class Fleet:
    """Makes VMs and removes them; safe from many threads of one process."""

    def __init__(
        self, hypervisor: LocalHypervisor, data: Path, *, max_vms: int, now: Callable[[], datetime]
    ) -> None:
        """Take over the VMs of an earlier process that still run, and forget the others.

        Args:
            hypervisor: Keeps the VMs.
            data: The folder of the manager.
            max_vms: How many may run at once; 0 for any number.
            now: The time, aware.
        """
        self._hypervisor = hypervisor
        self._ends = data / "ends"
        self._max_vms = max_vms
        self._now = now
        self._lock = threading.Lock()
        self._being_made = 0
        for vm in hypervisor.list():
            if vm.running:
                _log.info("%s: adopted", vm.id)
            else:
                self.remove(vm.id)

    def create(self, spec: VmSpec, *, ttl: timedelta | None) -> Vm:
        """One more VM.

        Args:
            spec: What it is made of, under an id that no VM has.
            ttl: When it is removed; None for never.

        Raises:
            Conflict: There are as many as there may be, or the machine does not let it.
            InvalidInput: The local hypervisor cannot make such a VM.
        """
        with self._lock:
            running = sum(vm.running for vm in self._hypervisor.list())
            if 0 < self._max_vms <= running + self._being_made:
                raise Conflict(LIMIT_REACHED)
            self._being_made += 1
        try:
            if ttl is not None:
                self._ends.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_private(self._ends / spec.id, (self._now() + ttl).isoformat().encode())
            vm = self._hypervisor.create(spec)
        except (PrismError, OSError):
            self._forget(spec.id)
            raise
        finally:
            with self._lock:
                self._being_made -= 1
        _log.info("%s: made, agent at %s, time to live %s", vm.id, vm.agent_address, ttl)
        return vm

    def policy(self, vm_id: str) -> bytes | None:
        """What evidence of a VM must say, as CoRIM; None when it does not run."""
        vm = self._hypervisor.find(vm_id)
        if vm is None or not vm.running:
            return None
        evidence = SimulatedGuest.load(vm.folder / "platform").attest(_NOTHING_TO_BIND)
        return PolicyFile.make(policy_from_evidence(evidence.report), PolicyForm.CORIM).to_bytes()

    def remove(self, vm_id: str) -> bool:
        """End a VM and delete its files; tells whether there was one.

        Raises:
            Conflict: Its processes do not end.
        """
        if self._hypervisor.find(vm_id) is None:
            return False
        self._forget(vm_id)
        _log.info("%s: removed", vm_id)
        return True

    def remove_expired(self) -> datetime | None:
        """Remove what has come to its end; gives the next end, None when there is none."""
        for vm_id, end in self._all_ends().items():
            if end <= self._now():
                _log.info("%s: its time to live is over", vm_id)
                with suppress(Conflict):  # it is due, and so tried again
                    self._forget(vm_id)
        return min(self._all_ends().values(), default=None)

    def _forget(self, vm_id: str) -> None:
        self._hypervisor.remove(vm_id)
        (self._ends / vm_id).unlink(missing_ok=True)

    def _all_ends(self) -> dict[str, datetime]:
        try:
            return {file.name: self._end_in(file) for file in sorted(self._ends.glob("[!.]*"))}
        except FileNotFoundError:
            return {}

    def _end_in(self, file: Path) -> datetime:
        """What a file says; now where it says nothing, as it does after a crash, before its VM was made."""
        try:
            return datetime.fromisoformat(file.read_text(encoding="ascii")).astimezone(UTC)
        except (ValueError, OverflowError):
            _log.warning("%s: its end cannot be read, so it has come", file.name)
            return self._now()
