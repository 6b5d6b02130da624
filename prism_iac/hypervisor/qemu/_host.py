"""What this machine's processor and kernel can do for guests.

Source: cocos-grpc.md section 6.2 (how SEV-SNP and TDX are detected).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Host", "detect_host"]

_VIRTUALIZATION_FLAGS: Final = frozenset({"vmx", "svm"})
_SNP: Final = ("sev_snp", "sys/module/kvm_amd/parameters/sev_snp")
_TDX: Final = ("tdx_host_platform", "sys/module/kvm_intel/parameters/tdx")


@dataclass(frozen=True, slots=True)
class Host:
    """What is there, and may be used by this user where that matters."""

    has_kvm: bool
    has_sev_snp: bool
    has_tdx: bool


def detect_host(root: Path = Path("/")) -> Host:
    """What there is, by the files that the kernel shows below a root."""
    flags = _flags(root)
    return Host(
        # The device may be there without a processor that serves it, as in containers.
        has_kvm=bool(flags & _VIRTUALIZATION_FLAGS) and os.access(root / "dev/kvm", os.R_OK | os.W_OK),
        has_sev_snp=_is_on(root, flags, _SNP),
        has_tdx=_is_on(root, flags, _TDX),
    )


def _flags(root: Path) -> frozenset[str]:
    for line in _text(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def _is_on(root: Path, flags: frozenset[str], what: tuple[str, str]) -> bool:
    flag, parameter = what
    return flag in flags and _text(root / parameter).strip() == "Y"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
