"""The launch measurements of SEV and SEV-ES: SHA-256 over what is loaded.

Source: attestation.md section 1.1.
"""

from __future__ import annotations

from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._vcpus import parts_of, vcpu_pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prism_iac.attestation.measurement._launch import SevEsLaunch, SevLaunch

__all__ = ["measure_sev", "measure_sev_es"]


def measure_sev(launch: SevLaunch) -> Measurement:
    """Over the firmware and the hashes of the kernel.

    Source: attestation.md section 1.1, mode `sev`.

    Raises:
        InvalidInput: The firmware takes no kernel, but there is one.
    """
    return Measurement(launch.firmware.sha256(_table(launch)), _parts(launch))


def measure_sev_es(launch: SevEsLaunch) -> Measurement:
    """Over the same, and the page of each vCPU.

    Source: attestation.md section 1.1, mode `seves`.

    Raises:
        InvalidInput: An input is impossible, or the firmware takes no kernel, but there is one.
    """
    vcpus = vcpu_pages(launch, features=0)
    loaded = (vcpu.page for vcpu in vcpus for _ in range(vcpu.count))
    return Measurement(launch.firmware.sha256(_table(launch), *loaded), (*_parts(launch), *parts_of(vcpus)))


def _parts(launch: SevLaunch | SevEsLaunch) -> tuple[Part, ...]:
    firmware = launch.firmware
    detail = f"SHA-256 of its {len(firmware.data)} bytes"
    kernel = () if launch.kernel is None else launch.kernel.parts()
    return (Part("firmware", detail, firmware.sha256()), *kernel)


def _table(launch: SevLaunch | SevEsLaunch) -> bytes:
    if launch.kernel is None:
        return b""
    if not launch.firmware.hash_table_gpa:
        raise refusal(
            launch.firmware.name,
            "has no room for the hashes of a kernel, so a kernel would not be measured",
            "Give a build for direct boot, such as OVMF's AmdSev, or leave the kernel out.",
        )
    return launch.kernel.table()
