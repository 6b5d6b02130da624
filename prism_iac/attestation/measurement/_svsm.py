"""The launch measurement of SEV-SNP below an SVSM.

Source: coconut-svsm/qemu `target/i386/sev.c`; attestation.md section 1.9.
"""

from __future__ import annotations

from prism_iac.attestation.measurement._chain import Chain
from prism_iac.attestation.measurement._pages import NORMAL, PAGE_BYTES, pages_at
from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._vcpus import VcpuPage, check_count, check_signature
from prism_iac.attestation.measurement._vmm import QEMU
from prism_iac.attestation.measurement._vmsa import svsm_vmsa

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prism_iac.attestation.measurement._launch import SvsmLaunch

__all__ = ["measure_svsm"]


def measure_svsm(launch: SvsmLaunch) -> Measurement:
    """Over the firmware, the SVSM below it, the memory that the SVSM declares, and the vCPUs.

    Source: attestation.md section 1.9.

    Raises:
        InvalidInput: An input is impossible, or an image is malformed.
    """
    svsm, gpa = launch.svsm, _gpa(launch)
    vcpus = _vcpu_pages(launch, gpa)
    chain = Chain.of(launch.firmware)
    chain.digest = svsm.extend(chain.digest, gpa)
    chain.parts.append(Part("SVSM", pages_at(NORMAL, gpa, len(svsm.data)), svsm.sha256()))
    chain.add_sections(svsm, QEMU)
    chain.add_vcpus(vcpus)
    return chain.measurement()


def _gpa(launch: SvsmLaunch) -> int:
    gpa = launch.firmware.gpa - launch.vars_bytes - len(launch.svsm.data)
    if launch.vars_bytes < 0 or gpa < 0 or gpa % PAGE_BYTES:
        raise refusal(
            "vars-size",
            f"{launch.vars_bytes} bytes of variables leave no pages for the SVSM below them",
            "Give the size of OVMF_VARS.fd, and the SVSM and firmware as their builds made them.",
        )
    return gpa


def _vcpu_pages(launch: SvsmLaunch, gpa: int) -> tuple[VcpuPage, ...]:
    check_count(launch.vcpus)
    signature = check_signature(launch.vcpu_signature)
    entry = launch.svsm.svsm_entry
    if entry is None:
        raise refusal(launch.svsm.name, "does not say where vCPUs begin, so it is no SVSM", "Give one.")
    if not launch.vcpus:
        return ()
    detail = f"VMSA of the SVSM, begins at {gpa + entry:#x}, signature {signature:#x}"
    return (VcpuPage(0, launch.vcpus, svsm_vmsa(rip=gpa + entry, signature=signature), detail),)
