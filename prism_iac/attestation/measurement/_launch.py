"""What decides the measurement of a launch: one class for each kind of guest."""

from __future__ import annotations

from prism_iac.attestation.measurement._firmware import Firmware
from prism_iac.attestation.measurement._kernel import KernelHashes
from prism_iac.attestation.measurement._value import Value
from prism_iac.attestation.measurement._vmm import QEMU, Vmm

__all__ = ["LaunchInputs", "SevEsLaunch", "SevLaunch", "SnpLaunch", "SvsmLaunch", "TdxLaunch"]


class SevLaunch(Value):
    """A SEV guest; attestation.md section 1.1, mode `sev`.

    Attributes:
        firmware: The image that it starts from.
        kernel: What it boots when the hypervisor gives it a kernel.
    """

    firmware: Firmware
    kernel: KernelHashes | None = None


class SevEsLaunch(Value):
    """A SEV-ES guest; attestation.md section 1.1, mode `seves`.

    Attributes:
        firmware: The image that it starts from.
        vcpus: How many vCPUs it has.
        vcpu_signature: Of their model, from `VCPU_TYPES` or `vcpu_signature`; only QEMU needs it.
        vmm: The hypervisor.
        kernel: What it boots when the hypervisor gives it a kernel.
    """

    firmware: Firmware
    vcpus: int
    vcpu_signature: int | None = None
    vmm: Vmm = QEMU
    kernel: KernelHashes | None = None


class SnpLaunch(Value):
    """A SEV-SNP guest; attestation.md section 1.1, mode `snp`.

    Attributes:
        firmware: The image that it starts from.
        vcpus: How many vCPUs it has.
        vcpu_signature: Of their model, from `VCPU_TYPES` or `vcpu_signature`; only QEMU needs it.
        vmm: The hypervisor.
        guest_features: SEV_FEATURES, 64 bits.
        kernel: What it boots when the hypervisor gives it a kernel.
        firmware_hash: `Firmware.snp_hash` as it is known from before, 48 bytes; the firmware's pages are then
            not looked at.
    """

    firmware: Firmware
    vcpus: int
    vcpu_signature: int | None = None
    vmm: Vmm = QEMU
    guest_features: int = 0x1
    kernel: KernelHashes | None = None
    firmware_hash: bytes | None = None


class SvsmLaunch(Value):
    """A SEV-SNP guest of QEMU whose firmware is started by an SVSM; attestation.md section 1.9.

    Attributes:
        firmware: The image that the SVSM starts.
        svsm: The image of the SVSM.
        vars_bytes: How long the firmware's file of variables is, which lies between both.
        vcpus: How many vCPUs it has.
        vcpu_signature: Of their model, from `VCPU_TYPES` or `vcpu_signature`.
    """

    firmware: Firmware
    svsm: Firmware
    vars_bytes: int
    vcpus: int
    vcpu_signature: int


class TdxLaunch(Value):
    """A TDX guest; attestation.md section 4.6.

    Attributes:
        firmware: The image that it starts from, code and variables.
        is_two_pass: Whether the hypervisor adds all pages of a section before it measures the first, as
            patched QEMU 8 does. QEMU 9 and later and Google measure each page when it is added.
    """

    firmware: Firmware
    is_two_pass: bool = False


LaunchInputs = SevLaunch | SevEsLaunch | SnpLaunch | SvsmLaunch | TdxLaunch
