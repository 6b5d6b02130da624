"""The launch measurement of a VM before it runs: what a processor will report of it, and why.

Main entry: `measure`, which takes `LaunchInputs` for SEV, SEV-ES, SEV-SNP, SVSM and TDX. A `Firmware` keeps what
measuring has found; `KernelHashes` keep what counts of a kernel. Nothing is kept elsewhere. Imports nothing of
the package but `errors`, and that when it refuses.
"""

from prism_iac.attestation.measurement._firmware import Firmware
from prism_iac.attestation.measurement._kernel import KernelHashes
from prism_iac.attestation.measurement._launch import LaunchInputs, LaunchMode, MrtdOrder
from prism_iac.attestation.measurement._measure import measure
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._vcpu import VCPU_TYPES, vcpu_signature
from prism_iac.attestation.measurement._vmm import Vmm

__all__ = [
    "VCPU_TYPES",
    "Firmware",
    "KernelHashes",
    "LaunchInputs",
    "LaunchMode",
    "Measurement",
    "MrtdOrder",
    "Part",
    "Vmm",
    "measure",
    "vcpu_signature",
]
