"""What a policy's launch measures, with the hash of each input, so that a plan shows which of them changed it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prism_iac.attestation.measurement import (
    VCPU_TYPES,
    VMMS,
    Firmware,
    KernelHashes,
    SnpLaunch,
    TdxLaunch,
    measure,
)
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import nearest, shown
from prism_iac.model.resources import PolicyLaunch

__all__ = ["MeasuredLaunch", "measure_launch"]


@dataclass(frozen=True, slots=True)
class MeasuredLaunch:
    """A launch measurement as hexadecimal text, and the SHA-256 of each file and text that went into it."""

    measurement: str
    digests: dict[str, str]


def measure_launch(launch: PolicyLaunch, *, is_tdx: bool) -> MeasuredLaunch:
    """The measurement of SEV-SNP, or MRTD.

    Raises:
        InvalidInput: A file cannot be read, or such a VM does not start from them.
    """
    findings = list(_wrong(launch, is_tdx=is_tdx))
    if findings:
        raise InvalidInput(findings)
    try:
        firmware = Firmware.load(launch.firmware, name="launch.firmware")
        kernel = _kernel(launch)
    except OSError as error:
        raise InvalidInput(
            [
                Finding(
                    path="launch",
                    message=f"{shown(error.filename)} cannot be read: {error.strerror}",
                    fix="Check the path, which is relative to the project folder, and its rights.",
                )
            ]
        ) from error
    digests = {"firmware": firmware.sha256().hex()}
    if is_tdx:
        return MeasuredLaunch(measure(TdxLaunch(firmware)).digest.hex(), digests)
    if kernel is not None:
        digests |= {"kernel": kernel.kernel.hex()}
        digests |= {"initrd": kernel.initrd.hex()} if launch.initrd else {}
        digests |= {"cmdline": hashlib.sha256((launch.cmdline or "").encode()).hexdigest()}
    measured = measure(
        SnpLaunch(
            firmware,
            vcpus=launch.vcpus or 0,
            vcpu_signature=VCPU_TYPES[launch.vcpu_type] if launch.vcpu_type else None,
            vmm=VMMS[launch.vmm_type],
            guest_features=launch.guest_features,
            kernel=kernel,
        )
    )
    return MeasuredLaunch(measured.digest.hex(), digests)


def _kernel(launch: PolicyLaunch) -> KernelHashes | None:
    if launch.kernel is None:
        return None
    return KernelHashes.load(
        Path(launch.kernel),
        initrd=Path(launch.initrd) if launch.initrd else None,
        command_line=launch.cmdline or "",
    )


def _wrong(launch: PolicyLaunch, *, is_tdx: bool) -> Iterator[Finding]:
    if is_tdx:
        for name in ("kernel", "vcpus", "vcpu_type"):
            if getattr(launch, name) is not None:
                yield Finding(
                    path=f"launch.{name}",
                    message="is not measured into MRTD, and the expectations are for TDX",
                    fix="Remove it.",
                )
        return
    if launch.vcpus is None:
        yield Finding(
            path="launch.vcpus", message="is measured, and missing", fix="Say how many vCPUs the VM has."
        )
    if launch.vmm_type not in VMMS:
        yield Finding(
            path="launch.vmm_type",
            message=f"there is no hypervisor {shown(launch.vmm_type)} here",
            fix=nearest(launch.vmm_type, VMMS),
        )
    if launch.vcpu_type is not None and launch.vcpu_type not in VCPU_TYPES:
        yield Finding(
            path="launch.vcpu_type",
            message=f"there is no type {shown(launch.vcpu_type)}",
            fix=nearest(launch.vcpu_type, VCPU_TYPES),
        )
