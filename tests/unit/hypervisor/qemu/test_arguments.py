"""The command line of QEMU, field by field as cocos-grpc.md section 6.3 has it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prism_iac.hypervisor._port import Ports
from prism_iac.hypervisor.qemu._arguments import Disk, Kernel, Machine, arguments
from prism_iac.model import Platform

PLAIN = Machine(
    binary="/usr/bin/qemu-system-x86_64",
    id="7d0c",
    name="trainer",
    type="q35",
    cpu="EPYC",
    vcpus=4,
    memory_mib=2048,
    protection=None,
    is_accelerated=False,
    boot=Kernel(Path("/i/kernel"), Path("/i/initrd"), "quiet console=null"),
    host="127.0.0.1",
    ports=Ports(6100),
    certificates=Path("/v/certs"),
    shared=Path("/v/shared"),
)
FIRMWARE = Path("/f/OVMF.fd")
SNP = replace(PLAIN, protection=Platform.SEV_SNP, is_accelerated=True, firmware=FIRMWARE)
TDX = replace(PLAIN, protection=Platform.TDX, is_accelerated=True, firmware=FIRMWARE)
MEMORY = "memory-backend-memfd,id=ram1,size=2048M,share=true,prealloc=false"

BEGIN = ["/usr/bin/qemu-system-x86_64", "-name", "trainer"]
SIZE = [
    *("-machine", "q35", "-cpu", "EPYC"),
    *("-smp", "4,maxcpus=64", "-m", "2048M,slots=5,maxmem=30720M"),
]
NETWORK = [
    *("-netdev", "user,id=vmnic-7d0c,hostfwd=tcp:127.0.0.1:6100-:7002"),
    "-device",
    "virtio-net-pci,disable-legacy=on,iommu_platform=true,netdev=vmnic-7d0c,addr=0x2,romfile=",
]
KERNEL = ["-kernel", "/i/kernel", "-append", "quiet console=null", "-initrd", "/i/initrd"]
END = [
    *("-nographic", "-monitor", "none", "-no-reboot"),
    *("-fsdev", "local,id=cert_fs,path=/v/certs,security_model=mapped,readonly=on"),
    *("-device", "virtio-9p-pci,fsdev=cert_fs,mount_tag=certs_share"),
    *("-fsdev", "local,id=env_fs,path=/v/shared,security_model=mapped,readonly=on"),
    *("-device", "virtio-9p-pci,fsdev=env_fs,mount_tag=env_share"),
]
BIOS = ["-bios", "/f/OVMF.fd"]
DISK = [
    *("-drive", "file=/v/disk.qcow2,if=none,id=disk0,format=qcow2"),
    *("-device", "virtio-scsi-pci,id=scsi0,disable-legacy=on,iommu_platform=true"),
    *("-device", "scsi-hd,drive=disk0,bus=scsi0.0"),
]
SNP_GUEST = "sev-snp-guest,id=sev0-7d0c,cbitpos=51,reduced-phys-bits=1"
SNP_MACHINE = "confidential-guest-support=sev0-7d0c,memory-backend=ram1"
TDX_GUEST = [
    "-object",
    (
        '{"qom-type":"tdx-guest","id":"tdx0-7d0c","quote-generation-socket":'
        '{"type":"vsock","cid":"2","port":"4050"}}'
    ),
    *("-machine", "confidential-guest-support=tdx0-7d0c,memory-backend=ram1,hpet=off"),
    *("-object", MEMORY, "-nodefaults", "-serial", "stdio"),
]

CASES = {
    "plain": (PLAIN, [*BEGIN, *SIZE, *NETWORK, *KERNEL, *END]),
    "plain with KVM": (
        replace(PLAIN, is_accelerated=True),
        [*BEGIN, "-enable-kvm", *SIZE, *NETWORK, *KERNEL, *END],
    ),
    "plain with OVMF in one file": (
        replace(PLAIN, firmware=FIRMWARE),
        [*BEGIN, *SIZE, *BIOS, *NETWORK, *KERNEL, *END],
    ),
    "plain with OVMF in two files": (
        replace(PLAIN, firmware=FIRMWARE, variables=Path("/v/vars.fd")),
        [
            *(*BEGIN, *SIZE),
            *("-drive", "if=pflash,format=raw,unit=0,file=/f/OVMF.fd,readonly=on"),
            *("-drive", "if=pflash,format=raw,unit=1,file=/v/vars.fd"),
            *(*NETWORK, *KERNEL, *END),
        ],
    ),
    "plain from a disk": (
        replace(PLAIN, boot=Disk(Path("/v/disk.qcow2"), "qcow2")),
        [*BEGIN, *SIZE, *NETWORK, *DISK, *END],
    ),
    "plain without an initrd": (
        replace(PLAIN, boot=Kernel(Path("/i/kernel"), None, "")),
        [*BEGIN, *SIZE, *NETWORK, "-kernel", "/i/kernel", "-append", "", *END],
    ),
    "SEV-SNP with a measured kernel": (
        SNP,
        [
            *(*BEGIN, "-enable-kvm", *SIZE, *BIOS, *NETWORK),
            *("-machine", SNP_MACHINE, "-object", MEMORY, "-object", f"{SNP_GUEST},kernel-hashes=on"),
            *(*KERNEL, *END),
        ],
    ),
    "SEV-SNP from a disk": (
        replace(SNP, boot=Disk(Path("/v/disk.qcow2"), "qcow2")),
        [
            *(*BEGIN, "-enable-kvm", *SIZE, *BIOS, *NETWORK),
            *("-machine", SNP_MACHINE, "-object", MEMORY, "-object", SNP_GUEST),
            *(*DISK, *END),
        ],
    ),
    "SEV-SNP from an IGVM file": (
        replace(SNP, firmware=None, igvm=Path("/f/coconut-qemu.igvm")),
        [
            *(*BEGIN, "-enable-kvm", *SIZE, *NETWORK),
            *("-machine", f"{SNP_MACHINE},igvm-cfg=igvm0", "-object", MEMORY, "-object", SNP_GUEST),
            *("-object", "igvm-cfg,id=igvm0,file=/f/coconut-qemu.igvm"),
            *(*KERNEL, *END),
        ],
    ),
    "TDX": (TDX, [*BEGIN, "-enable-kvm", *SIZE, *BIOS, *NETWORK, *TDX_GUEST, *KERNEL, *END]),
    "TDX from a disk": (
        replace(TDX, boot=Disk(Path("/v/disk.qcow2"), "qcow2")),
        [*BEGIN, "-enable-kvm", *SIZE, *BIOS, *NETWORK, *TDX_GUEST, *DISK, *END],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_command_line(case: tuple[Machine, list[str]]) -> None:
    machine, expected = case
    assert list(arguments(machine)) == expected


def test_the_quotes_of_tdx_are_asked_for_in_valid_json() -> None:
    words = arguments(TDX)
    assert json.loads(words[words.index("-object") + 1])["quote-generation-socket"]["cid"] == "2"


@pytest.mark.parametrize(
    ("vcpus", "memory_mib", "size"), [(96, 65536, "96,maxcpus=96 65536M,slots=5,maxmem=65536M")]
)
def test_a_machine_may_be_larger_than_the_usual_limits(vcpus: int, memory_mib: int, size: str) -> None:
    words = arguments(replace(PLAIN, vcpus=vcpus, memory_mib=memory_mib))
    assert f"{words[words.index('-smp') + 1]} {words[words.index('-m') + 1]}" == size


def test_a_comma_in_a_path_does_not_begin_another_setting() -> None:
    words = arguments(replace(PLAIN, certificates=Path("/v,readonly=off/certs")))
    assert "local,id=cert_fs,path=/v,,readonly=off/certs,security_model=mapped,readonly=on" in words


def test_evidence_has_a_port_of_its_own() -> None:
    words = arguments(replace(PLAIN, ports=Ports(6100, 40001)))
    forwards = "hostfwd=tcp:127.0.0.1:6100-:7002,hostfwd=tcp:127.0.0.1:40001-:7003"
    assert words[words.index("-netdev") + 1] == f"user,id=vmnic-7d0c,{forwards}"


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert any("hostfwd=tcp:[::1]:6100-:7002" in word for word in arguments(replace(PLAIN, host="::1")))
