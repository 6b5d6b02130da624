"""The launch measurements of SEV and SEV-ES: SHA-256 over what is loaded.

Source: attestation.md section 1.1.
"""

from __future__ import annotations

from prism_iac.attestation.measurement._launch import LaunchInputs
from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._vcpus import parts_of, vcpu_pages

__all__ = ["measure_sev", "measure_sev_es"]


def measure_sev(inputs: LaunchInputs) -> Measurement:
    """Over the firmware and the hashes of the kernel.

    Source: attestation.md section 1.1, mode `sev`.

    Raises:
        InvalidInput: The firmware takes no kernel, but there is one.
    """
    return Measurement(inputs.firmware.sha256(_table(inputs)), _parts(inputs))


def measure_sev_es(inputs: LaunchInputs) -> Measurement:
    """Over the same, and the page of each vCPU.

    Source: attestation.md section 1.1, mode `seves`.

    Raises:
        InvalidInput: An input is missing or impossible, or the firmware takes no kernel, but there is one.
    """
    vcpus = vcpu_pages(inputs, features=0)
    loaded = (vcpu.page for vcpu in vcpus for _ in range(vcpu.vcpus))
    return Measurement(inputs.firmware.sha256(_table(inputs), *loaded), (*_parts(inputs), *parts_of(vcpus)))


def _parts(inputs: LaunchInputs) -> tuple[Part, ...]:
    firmware = inputs.firmware
    detail = f"SHA-256 of its {len(firmware.data)} bytes"
    kernel = () if inputs.kernel is None else inputs.kernel.parts()
    return (Part("firmware", detail, firmware.sha256()), *kernel)


def _table(inputs: LaunchInputs) -> bytes:
    if inputs.kernel is None:
        return b""
    if not inputs.firmware.hash_table_gpa:
        raise refusal(
            inputs.firmware.name,
            "has no room for the hashes of a kernel, so a kernel would not be measured",
            "Give a build for direct boot, such as OVMF's AmdSev, or leave the kernel out.",
        )
    return inputs.kernel.table()
