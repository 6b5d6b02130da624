"""What decides the measurement of a launch."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from prism_iac.attestation.measurement._firmware import Firmware
from prism_iac.attestation.measurement._kernel import KernelHashes
from prism_iac.attestation.measurement._vmm import Vmm

__all__ = ["LaunchInputs", "LaunchMode", "MrtdOrder"]


class LaunchMode(StrEnum):
    """What kind of guest is launched, by the name that measuring tools give it.

    Source: attestation.md section 1.1, and 4.6 for TDX.
    """

    SEV = "sev"
    SEV_ES = "seves"
    SNP = "snp"
    SNP_OVMF_HASH = "snp:ovmf-hash"
    """Of a SEV-SNP guest the firmware alone, which a later measurement can begin with."""
    SNP_SVSM = "snp:svsm"
    """A SEV-SNP guest whose firmware is started by an SVSM."""
    TDX = "tdx"


class MrtdOrder(StrEnum):
    """In which order a hypervisor adds and measures the pages of a TDX guest.

    Source: attestation.md section 4.6, variants.
    """

    SINGLE_PASS = "single-pass"  # noqa: S105  # no password
    """Each page is measured when it is added: QEMU 9 and later, Google."""
    TWO_PASS = "two-pass"  # noqa: S105  # no password
    """All pages of a section are added, then all are measured: patched QEMU 8."""


class LaunchInputs(NamedTuple):
    """Everything that decides the launch measurement of a VM.

    Attributes:
        mode: The kind of guest.
        firmware: The image that it starts from.
        vcpus: How many vCPUs it has; measured in the modes `seves`, `snp` and `snp:svsm`, which require it.
        vcpu_signature: Of the model of its vCPUs, from `VCPU_TYPES` or `vcpu_signature`; measured, and
            required, where vCPUs are and the hypervisor is QEMU.
        vmm: The hypervisor.
        guest_features: SEV_FEATURES, 64 bits; measured in the mode `snp`.
        kernel: What it boots when the hypervisor gives it a kernel; refused in the modes `snp:svsm` and
            `tdx`, which do not measure it.
        firmware_hash: 48 bytes that stand for the pages of the firmware, in the mode `snp` alone.
        svsm: The SVSM, in the mode `snp:svsm` alone.
        vars_bytes: How long the firmware's file of variables is, which lies between SVSM and firmware.
        mrtd_order: How the hypervisor builds a TDX guest.
    """

    mode: LaunchMode
    firmware: Firmware
    vcpus: int | None = None
    vcpu_signature: int | None = None
    vmm: Vmm = Vmm.QEMU
    guest_features: int = 0x1
    kernel: KernelHashes | None = None
    firmware_hash: bytes | None = None
    svsm: Firmware | None = None
    vars_bytes: int | None = None
    mrtd_order: MrtdOrder = MrtdOrder.SINGLE_PASS
