"""What every driver does, and which driver serves which provider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from prism_iac.errors import Finding, InvalidInput
from prism_iac.hypervisor._vm import Vm, VmSpec
from prism_iac.model import VmProvider

__all__ = ["Hypervisor", "open_hypervisor"]


class Hypervisor(Protocol):
    """Makes VMs and removes them; safe from many threads and processes at once."""

    def create(self, spec: VmSpec) -> Vm:
        """The VM of this id, made and started unless it runs already.

        Returns when it is started; whether its agent is ready is for the backend to say.

        Raises:
            InvalidInput: This hypervisor cannot make such a VM.
            Conflict: The machine does not let it.
        """

    def find(self, vm_id: str, /) -> Vm | None:
        """The VM of an id; None when there is none."""

    def list(self) -> tuple[Vm, ...]:
        """Every VM, by id; finishes removals that were cut off."""

    def remove(self, vm_id: str, /) -> None:
        """End a VM and everything in it; fine when there is none.

        Raises:
            Conflict: Its processes do not end.
        """

    def evidence_roots(self) -> bytes | None:
        """The roots that evidence of its VMs leads to, PEM; None for those of the makers of processors.

        Raises:
            InvalidInput: They cannot be read.
        """


def _open_local(data: Path) -> Hypervisor:
    from prism_iac.hypervisor.local import LocalHypervisor

    return LocalHypervisor(data)


def _open_qemu(data: Path) -> Hypervisor:
    from prism_iac.hypervisor.qemu import QemuHypervisor

    return QemuHypervisor(data)


_DRIVERS: Final[dict[VmProvider, Callable[[Path], Hypervisor]]] = {
    VmProvider.LOCAL: _open_local,
    VmProvider.QEMU: _open_qemu,
}


def open_hypervisor(provider: VmProvider, *, data: Path) -> Hypervisor:
    """The driver that makes a provider's VMs from this machine.

    Args:
        provider: Who makes the VM.
        data: The folder that the driver keeps its VMs in.

    Raises:
        InvalidInput: VMs of that provider are not made from here.
    """
    if provider not in _DRIVERS:
        served = ", ".join(_DRIVERS)
        raise InvalidInput(
            [
                Finding(
                    path="provider",
                    message=f"VMs of the provider {provider} are not made from this machine",
                    fix=f"Prism makes them itself, or you start them by hand; here are made: {served}.",
                )
            ]
        )
    return _DRIVERS[provider](data)
