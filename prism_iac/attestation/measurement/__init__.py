"""The launch measurement of a VM before it runs: what a processor will report of it, and why.

Main entry: `measure`, which takes a `SevLaunch`, `SevEsLaunch`, `SnpLaunch`, `SvsmLaunch` or `TdxLaunch`. A
`Firmware` keeps what measuring has found, `KernelHashes` keep what counts of a kernel; nothing is kept elsewhere.
Imports nothing of the package but `errors`, and that when it refuses; and of the standard library only what it
computes with, for a script that measures starts it each time.
"""

from prism_iac.attestation.measurement._firmware import Firmware
from prism_iac.attestation.measurement._kernel import KernelHashes
from prism_iac.attestation.measurement._launch import (
    LaunchInputs,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    SvsmLaunch,
    TdxLaunch,
)
from prism_iac.attestation.measurement._measure import measure
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._vcpu import VCPU_TYPES, vcpu_signature
from prism_iac.attestation.measurement._vmm import EC2, GCE, KRUN, QEMU, VMMS, Vmm

__all__ = [
    "EC2",
    "GCE",
    "KRUN",
    "QEMU",
    "VCPU_TYPES",
    "VMMS",
    "Firmware",
    "KernelHashes",
    "LaunchInputs",
    "Measurement",
    "Part",
    "SevEsLaunch",
    "SevLaunch",
    "SnpLaunch",
    "SvsmLaunch",
    "TdxLaunch",
    "Vmm",
    "measure",
    "vcpu_signature",
]
