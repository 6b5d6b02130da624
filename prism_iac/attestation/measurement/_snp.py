"""The launch measurement of SEV-SNP.

Source: AMD 56860 §8.17; attestation.md section 1.2.
"""

from __future__ import annotations

from prism_iac.attestation.measurement._chain import Chain
from prism_iac.attestation.measurement._pages import DIGEST_BYTES
from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Measurement, Part
from prism_iac.attestation.measurement._vcpus import vcpu_pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prism_iac.attestation.measurement._launch import SnpLaunch

__all__ = ["measure_snp"]


def measure_snp(launch: SnpLaunch) -> Measurement:
    """Over the firmware, the memory that it declares, and the vCPUs.

    Source: attestation.md section 1.2.

    Raises:
        InvalidInput: An input is impossible, the firmware is malformed, or it takes no kernel, but there is
            one.
    """
    chain = Chain.of(launch.firmware) if launch.firmware_hash is None else _from(launch.firmware_hash)
    chain.add_sections(launch.firmware, launch.vmm, launch.kernel)
    chain.add_vcpus(vcpu_pages(launch, features=launch.guest_features))
    return chain.measurement()


def _from(firmware_hash: bytes) -> Chain:
    if len(firmware_hash) != DIGEST_BYTES:
        raise refusal(
            "snp-ovmf-hash",
            f"has {DIGEST_BYTES} bytes, not {len(firmware_hash)}",
            "Give what the mode snp:ovmf-hash prints.",
        )
    return Chain(firmware_hash, Part("firmware", "its hash, as it was given", firmware_hash))
