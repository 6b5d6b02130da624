"""The command line of QEMU, as a function of what a VM is made of.

Source: cocos-grpc.md section 6.3, whose rows the comments name. It differs in this: ports are open on one address
of the machine only, the guest reads what is handed over and cannot write it, a plain VM needs no firmware file,
and a SEV-SNP guest without an IGVM file starts from OVMF, with the hashes of kernel, initrd and command line in
its launch measurement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.hypervisor._port import Ports
from prism_iac.model import Platform, address_of

__all__ = [
    "CERTIFICATES_TAG",
    "EVIDENCE_PORT",
    "GUEST_PORT",
    "SHARED_TAG",
    "Disk",
    "Kernel",
    "Machine",
    "arguments",
]

GUEST_PORT: Final = 7002
"""Where the agent listens in the guest."""

EVIDENCE_PORT: Final = 7003
"""Where it gives evidence at any time."""

CERTIFICATES_TAG: Final = "certs_share"
SHARED_TAG: Final = "env_share"

_MOST_VCPUS: Final = 64
_MEMORY_SLOTS: Final = 5
_MOST_MEMORY_MIB: Final = 30 * 1024
_MEMORY_ID: Final = "ram1"
_GUARD_ID: Final = {Platform.SEV_SNP: "sev0", Platform.TDX: "tdx0"}
_IGVM_ID: Final = "igvm0"
_NETWORK_ID: Final = "vmnic"
_DISK_ID: Final = "disk0"
_SCSI_ID: Final = "scsi0"
_CBIT_POSITION: Final = 51
_REDUCED_PHYSICAL_BITS: Final = 1
_QUOTE_PORT: Final = 4050


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel to boot directly."""

    file: Path
    initrd: Path | None
    command_line: str


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk to boot from."""

    file: Path
    format: str


@dataclass(frozen=True, slots=True)
class Machine:
    """All that decides the command line.

    Attributes:
        binary: QEMU.
        id: The VM's identity, which makes the names of its devices its own.
        name: For people.
        type: QEMU's machine type.
        protection: What keeps the machine out of the guest's memory; None for a plain VM.
        is_accelerated: Whether KVM runs it.
        boot: What it boots.
        host: The address of this machine whose ports lead to the agent.
        ports: Those.
        certificates: The folder that the guest sees as /etc/certs.
        shared: The folder that the guest sees as /etc/cocos.
        firmware: OVMF; its code alone where there are variables.
        variables: OVMF's variables, this VM's own.
        igvm: In place of a firmware.
    """

    binary: str
    id: str
    name: str
    type: str
    cpu: str
    vcpus: int
    memory_mib: int
    protection: Platform | None
    is_accelerated: bool
    boot: Kernel | Disk
    host: str
    ports: Ports
    certificates: Path
    shared: Path
    firmware: Path | None = None
    variables: Path | None = None
    igvm: Path | None = None


def arguments(machine: Machine) -> tuple[str, ...]:
    """The program and its arguments."""
    words = [
        *(machine.binary, "-name", _value(machine.name)),
        # Rows 1 to 3.
        *(["-enable-kvm"] if machine.is_accelerated else []),
        *("-machine", machine.type, "-cpu", machine.cpu),
        *("-smp", f"{machine.vcpus},maxcpus={max(_MOST_VCPUS, machine.vcpus)}"),
        *("-m", _memory(machine)),
        *_firmware(machine),
        *_network(machine),
        *_protection(machine),
        *_boot(machine.boot),
        # Row 11. A guest that ends does not begin again; nobody is at a monitor.
        *("-nographic", "-monitor", "none", "-no-reboot"),
        # Rows 12 and 13.
        *_share("cert_fs", machine.certificates, CERTIFICATES_TAG),
        *_share("env_fs", machine.shared, SHARED_TAG),
    ]
    return tuple(words)


def _memory(machine: Machine) -> str:
    most = max(_MOST_MEMORY_MIB, machine.memory_mib)
    return f"{machine.memory_mib}M,slots={_MEMORY_SLOTS},maxmem={most}M"


def _firmware(machine: Machine) -> Iterator[str]:
    """Row 4, and the firmware that rows 8 and 9 start from."""
    if machine.firmware is None:
        return
    if machine.variables is None:
        yield from ("-bios", str(machine.firmware))
        return
    for unit, file, ending in ((0, machine.firmware, ",readonly=on"), (1, machine.variables, "")):
        yield from ("-drive", f"if=pflash,format=raw,unit={unit},file={_value(file)}{ending}")


def _network(machine: Machine) -> Iterator[str]:
    """Row 5."""
    name = f"{_NETWORK_ID}-{machine.id}"
    forwards = {machine.ports.agent: GUEST_PORT}
    if machine.ports.evidence is not None:
        forwards[machine.ports.evidence] = EVIDENCE_PORT
    rules = (f"hostfwd=tcp:{address_of(machine.host, port)}-:{inside}" for port, inside in forwards.items())
    yield from ("-netdev", ",".join((f"user,id={name}", *rules)))
    device = f"disable-legacy=on,iommu_platform=true,netdev={name},addr=0x2,romfile="
    yield from ("-device", f"virtio-net-pci,{device}")


def _protection(machine: Machine) -> Iterator[str]:
    """Rows 8 and 9."""
    if machine.protection is None:
        return
    guard = f"{_GUARD_ID[machine.protection]}-{machine.id}"
    memory = f"memory-backend-memfd,id={_MEMORY_ID},size={machine.memory_mib}M,share=true,prealloc=false"
    guarded = f"confidential-guest-support={guard},memory-backend={_MEMORY_ID}"
    if machine.protection is Platform.TDX:
        quotes = {"type": "vsock", "cid": "2", "port": str(_QUOTE_PORT)}
        domain = {"qom-type": "tdx-guest", "id": guard, "quote-generation-socket": quotes}
        yield from ("-object", json.dumps(domain, separators=(",", ":")))
        yield from ("-machine", f"{guarded},hpet=off", "-object", memory, "-nodefaults")
        # Without its defaults QEMU has no serial port, and the console would stay empty.
        yield from ("-serial", "stdio")
        return
    snp = f"sev-snp-guest,id={guard},cbitpos={_CBIT_POSITION},reduced-phys-bits={_REDUCED_PHYSICAL_BITS}"
    if machine.igvm is not None:
        yield from ("-machine", f"{guarded},igvm-cfg={_IGVM_ID}", "-object", memory, "-object", snp)
        yield from ("-object", f"igvm-cfg,id={_IGVM_ID},file={_value(machine.igvm)}")
        return
    hashes = ",kernel-hashes=on" if isinstance(machine.boot, Kernel) else ""
    yield from ("-machine", guarded, "-object", memory, "-object", f"{snp}{hashes}")


def _boot(boot: Kernel | Disk) -> Iterator[str]:
    """Row 6 or 10."""
    if isinstance(boot, Kernel):
        yield from ("-kernel", str(boot.file), "-append", boot.command_line)
        yield from ("-initrd", str(boot.initrd)) if boot.initrd is not None else ()
        return
    yield from ("-drive", f"file={_value(boot.file)},if=none,id={_DISK_ID},format={boot.format}")
    yield from ("-device", f"virtio-scsi-pci,id={_SCSI_ID},disable-legacy=on,iommu_platform=true")
    yield from ("-device", f"scsi-hd,drive={_DISK_ID},bus={_SCSI_ID}.0")


def _share(name: str, folder: Path, tag: str) -> Iterator[str]:
    yield from ("-fsdev", f"local,id={name},path={_value(folder)},security_model=mapped,readonly=on")
    yield from ("-device", f"virtio-9p-pci,fsdev={name},mount_tag={tag}")


def _value(value: Path | str) -> str:
    """A value inside of an argument, where a comma separates and a doubled one is a comma."""
    return str(value).replace(",", ",,")
