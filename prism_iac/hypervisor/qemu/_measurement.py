"""What hardware would report of a launch, from the files that it starts from.

A processor signs that it saw this launch; an emulated machine cannot, and neither can a plain one. There the
value is a fact about the files, and what simulated evidence says. Without a firmware that measures its kernel
there is nothing that hardware could report; simulated evidence then says SHA-384 over a description:

    {"cmdline": "...", "cpu": "EPYC", "form": 1, "initrd": "<SHA-256>", "kernel": "<SHA-256>", "vcpus": 2}

as JSON with sorted keys and no white space.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from prism_iac.attestation import (
    VCPU_TYPES,
    Firmware,
    KernelHashes,
    SnpLaunch,
    TdxLaunch,
    measure,
)
from prism_iac.errors import Finding, InvalidInput
from prism_iac.hypervisor.qemu._arguments import Kernel, Machine
from prism_iac.model import Platform, nearest

__all__ = ["described_launch", "launch_measurement"]

_FORM: Final = 1


def launch_measurement(machine: Machine, platform: Platform) -> bytes | None:
    """The launch measurement of SEV-SNP or MRTD, 48 bytes; None when the machine has no firmware to tell it by.

    Args:
        machine: What is started.
        platform: Whose measurement; that of the hardware, or the one that evidence is simulated of.

    Raises:
        InvalidInput: The firmware cannot start such a guest, or the CPU model has no signature.
    """
    if machine.firmware is None or machine.variables is not None:
        return None
    firmware = Firmware.load(machine.firmware, name="qemu.firmware")
    if platform is Platform.TDX:
        return measure(TdxLaunch(firmware)).digest
    if machine.cpu not in VCPU_TYPES:
        raise InvalidInput(
            [
                Finding(
                    path="qemu.cpu",
                    message=f"the launch measurement has the signature of the CPU, and {machine.cpu} has none",
                    fix=nearest(machine.cpu, VCPU_TYPES),
                )
            ]
        )
    launch = SnpLaunch(
        firmware,
        vcpus=machine.vcpus,
        vcpu_signature=VCPU_TYPES[machine.cpu],
        kernel=_hashes(machine.boot) if isinstance(machine.boot, Kernel) else None,
    )
    return measure(launch).digest


def described_launch(machine: Machine) -> bytes:
    """What simulated evidence says of a launch that no firmware measures, 48 bytes."""
    description: dict[str, object] = {"form": _FORM, "cpu": machine.cpu, "vcpus": machine.vcpus}
    if isinstance(machine.boot, Kernel):
        hashes = _hashes(machine.boot)
        description |= {
            "cmdline": machine.boot.command_line,
            "initrd": hashes.initrd.hex(),
            "kernel": hashes.kernel.hex(),
        }
    return hashlib.sha384(json.dumps(description, sort_keys=True, separators=(",", ":")).encode()).digest()


def _hashes(boot: Kernel) -> KernelHashes:
    return KernelHashes.load(boot.file, initrd=boot.initrd, command_line=boot.command_line)
