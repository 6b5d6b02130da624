from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.hypervisor.qemu._host import Host, detect_host


def _machine(root: Path, *, flags: str, snp: str = "", tdx: str = "", kvm: bool = True) -> Path:
    files = {
        "proc/cpuinfo": f"processor\t: 0\nflags\t\t: fpu {flags}\nbugs\t\t: sev_snp\n",
        "sys/module/kvm_amd/parameters/sev_snp": snp,
        "sys/module/kvm_intel/parameters/tdx": tdx,
    }
    if kvm:
        files["dev/kvm"] = "device"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("facts", "host"),
    [
        ({"flags": "svm sev_snp", "snp": "Y\n"}, Host(has_kvm=True, has_sev_snp=True, has_tdx=False)),
        ({"flags": "svm sev_snp", "snp": "N\n"}, Host(has_kvm=True, has_sev_snp=False, has_tdx=False)),
        ({"flags": "svm", "snp": "Y\n"}, Host(has_kvm=True, has_sev_snp=False, has_tdx=False)),
        (
            {"flags": "vmx tdx_host_platform", "tdx": "Y\n"},
            Host(has_kvm=True, has_sev_snp=False, has_tdx=True),
        ),
        ({"flags": "vmx", "kvm": False}, Host(has_kvm=False, has_sev_snp=False, has_tdx=False)),
        ({"flags": "sse"}, Host(has_kvm=False, has_sev_snp=False, has_tdx=False)),
    ],
)
def test_what_a_machine_can_do(tmp_path: Path, facts: dict[str, str], host: Host) -> None:
    assert detect_host(_machine(tmp_path, **facts)) == host  # type: ignore[arg-type]  # a table of keywords


def test_a_machine_that_shows_nothing_can_do_nothing(tmp_path: Path) -> None:
    assert detect_host(tmp_path) == Host(has_kvm=False, has_sev_snp=False, has_tdx=False)
