"""The life of a VM of QEMU, with a script in its place."""

from __future__ import annotations

import os
import signal
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prism_iac.attestation import SimulatedGuest, SimulatedPlatform, policy_from_evidence, verify_report
from prism_iac.attestation.declared import measure_launch
from prism_iac.errors import Conflict, InvalidInput
from prism_iac.hypervisor import Vm
from prism_iac.hypervisor.qemu import QemuHypervisor
from prism_iac.hypervisor.qemu._host import Host
from prism_iac.model import Platform
from prism_iac.model.resources import PolicyLaunch
from tests.unit.attestation.measurement.firmware import firmware
from tests.unit.hypervisor.conftest import NOW, SPEC, eventually
from tests.unit.hypervisor.qemu.conftest import EVERYTHING, NOTHING, guests_in, plain


def _arguments(vm: Vm) -> list[str]:
    file = vm.folder / "arguments"
    eventually(lambda: (vm.folder / "console.log").read_text() == "up\n")
    return file.read_text().splitlines()


def test_a_vm_is_a_process_of_qemu_with_its_files_in_a_folder(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path
) -> None:
    vm = hypervisor.create(plain(tmp_path))
    assert vm.folder == data / "qemu" / SPEC.id
    assert guests_in(data) == {vm.pid}
    words = _arguments(vm)
    assert words[words.index("-kernel") + 1] == str(tmp_path / "kernel")
    assert f"hostfwd=tcp:{vm.agent_address}-:7002" in words[words.index("-netdev") + 1]
    assert 6100 <= int(vm.agent_address.rpartition(":")[2]) <= 6200
    assert hypervisor.create(plain(tmp_path)) == hypervisor.find(vm.id) == vm


def test_what_is_handed_over_is_its_owners_alone(hypervisor: QemuHypervisor, tmp_path: Path) -> None:
    vm = hypervisor.create(plain(tmp_path, evidence="simulated"))
    _arguments(vm)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (vm.folder, *vm.folder.rglob("*"))}
    assert all(mode & 0o077 == 0 for path, mode in modes.items() if path.name != "console.log")
    assert modes[vm.folder / "certs" / "key.pem"] == 0o600
    assert (vm.folder / "certs" / "key.pem").read_bytes() == SPEC.client_key
    for file in ("vm.json", "shared/environment", "arguments"):
        assert SPEC.client_key not in (vm.folder / file).read_bytes()


def test_the_agent_in_the_guest_is_told_what_it_needs(hypervisor: QemuHypervisor, tmp_path: Path) -> None:
    vm = hypervisor.create(plain(tmp_path))
    noted = dict(line.split("=", 1) for line in (vm.folder / "shared/environment").read_text().splitlines())
    assert noted == {
        "AGENT_LOG_LEVEL": "info",
        "AGENT_CVM_GRPC_URL": "10.0.2.2:7018",
        "AGENT_CVM_ID": SPEC.id,
        "AGENT_CVM_GRPC_CLIENT_CERT": "/etc/certs/cert.pem",
        "AGENT_CVM_GRPC_CLIENT_KEY": "/etc/certs/key.pem",
        "AGENT_CVM_GRPC_SERVER_CA_CERTS": "/etc/certs/ca.pem",
        "AGENT_LISTEN": "0.0.0.0:7002",
        "AGENT_PUBLIC_ADDRESS": vm.agent_address,
    }


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("localhost:1", "10.0.2.2:1"),
        ("[::1]:1", "10.0.2.2:1"),
        ("prism.example.com:7018", "prism.example.com:7018"),
        ("192.0.2.7:1", "192.0.2.7:1"),
    ],
)
def test_only_the_loopback_of_the_machine_has_another_name_in_the_guest(
    hypervisor: QemuHypervisor, tmp_path: Path, address: str, seen: str
) -> None:
    vm = hypervisor.create(replace(plain(tmp_path), control_address=address))
    assert f"AGENT_CVM_GRPC_URL={seen}\n" in (vm.folder / "shared/environment").read_text()


def test_a_plain_vm_has_no_evidence_unless_it_is_asked_for(
    hypervisor: QemuHypervisor, tmp_path: Path
) -> None:
    vm = hypervisor.create(plain(tmp_path))
    assert vm.evidence_at is None
    assert not (vm.folder / "shared" / "platform").exists()
    assert "SIMULATED" not in (vm.folder / "shared/environment").read_text().upper()


def test_simulated_evidence_is_signed_by_the_platform_of_the_data_folder_and_named_so(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path
) -> None:
    vm = hypervisor.create(plain(tmp_path, evidence="simulated"))
    guest = SimulatedGuest.load(vm.folder / "shared" / "platform")
    evidence = guest.attest(b"n" * 64)
    assert hypervisor.evidence_roots() == SimulatedPlatform.load(data / "platform").root_pem
    result = verify_report(
        evidence,
        policy_from_evidence(evidence.report),
        roots=hypervisor.evidence_roots(),
        now=NOW,
        report_data=b"n" * 64,
    )
    assert result.is_simulated
    assert evidence.report.measurement.hex() == vm.launch_measurement
    assert f"hostfwd=tcp:{vm.evidence_at}-:7003" in " ".join(_arguments(vm))


def _with_firmware(tmp_path: Path, **more: Any) -> dict[str, Any]:
    (tmp_path / "OVMF.fd").write_bytes(firmware())
    return {"firmware": str(tmp_path / "OVMF.fd"), "cmdline": "quiet", **more}


def test_the_launch_measurement_is_the_one_that_a_declared_policy_has(
    hypervisor: QemuHypervisor, tmp_path: Path
) -> None:
    vm = hypervisor.create(plain(tmp_path, **_with_firmware(tmp_path, evidence="simulated", cpu="EPYC-v4")))
    declared = PolicyLaunch(
        firmware=str(tmp_path / "OVMF.fd"),
        kernel=str(tmp_path / "kernel"),
        initrd=str(tmp_path / "initrd"),
        cmdline="quiet",
        vcpus=SPEC.vcpus,
        vcpu_type="EPYC-v4",
    )
    assert vm.launch_measurement == measure_launch(declared, is_tdx=False).measurement


@pytest.mark.parametrize("change", ["kernel", "initrd", "cmdline", "vcpus", "cpu"])
def test_without_firmware_what_simulated_evidence_says_changes_with_each_part_of_the_launch(
    hypervisor: QemuHypervisor, tmp_path: Path, change: str
) -> None:
    def measured(vm_id: str, **more: Any) -> str | None:
        vcpus = more.pop("vcpus", SPEC.vcpus)
        spec = replace(plain(tmp_path, evidence="simulated", **more), id=vm_id, vcpus=vcpus)
        return hypervisor.create(spec).launch_measurement

    (tmp_path / "other").write_bytes(b"another file")
    changes = {"cmdline": "debug", "vcpus": 4, "cpu": "EPYC-Milan"}
    before = measured("a")
    assert before is not None
    assert measured("b") == before
    assert measured("c", **{change: changes.get(change, str(tmp_path / "other"))}) != before


def test_a_vm_outlives_its_maker_and_is_found_by_the_next(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path
) -> None:
    vm = hypervisor.create(plain(tmp_path))
    other = QemuHypervisor(data, detect=lambda: NOTHING)
    assert other.list() == (vm,)
    assert other.create(plain(tmp_path)) == vm
    assert guests_in(data) == {vm.pid}


def test_a_vm_that_ended_comes_back_on_its_ports(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path
) -> None:
    spec = plain(tmp_path, evidence="simulated")
    first = hypervisor.create(spec)
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: not hypervisor.list()[0].running)
    second = hypervisor.start(first.id)
    assert second.running
    assert (second.agent_address, second.evidence_at) == (first.agent_address, first.evidence_at)
    assert guests_in(data) == {second.pid}


def test_a_vm_is_started_again_from_any_folder(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    vm = hypervisor.create(plain(tmp_path, kernel="kernel", binary="./binary"))
    hypervisor.stop(vm.id)
    monkeypatch.chdir(data)
    assert hypervisor.start(vm.id).running


def test_two_vms_never_get_one_port_of_a_range(hypervisor: QemuHypervisor, tmp_path: Path) -> None:
    def create(vm_id: str) -> Vm:
        return hypervisor.create(replace(plain(tmp_path, ports=f"{first}-{first + 1}"), id=vm_id))

    first = int(hypervisor.create(plain(tmp_path)).agent_address.rpartition(":")[2])
    hypervisor.remove(SPEC.id)
    ports = {create(vm_id).agent_address for vm_id in ("a", "b")}
    assert ports == {f"127.0.0.1:{first}", f"127.0.0.1:{first + 1}"}
    with pytest.raises(Conflict, match=f"no free port from {first} to {first + 1}"):
        create("c")
    hypervisor.remove("a")
    assert create("c").running


def test_a_removed_vm_is_gone_with_its_folder(hypervisor: QemuHypervisor, data: Path, tmp_path: Path) -> None:
    vm = hypervisor.create(plain(tmp_path))
    hypervisor.remove(vm.id)
    assert not vm.folder.exists()
    assert hypervisor.list() == ()
    assert guests_in(data) == set()


def test_a_guest_that_is_deaf_to_sigterm_is_killed(data: Path, tmp_path: Path) -> None:
    (tmp_path / "binary").write_text("#!/bin/sh\ntrap '' TERM\necho up\nwhile :; do sleep 1000; done\n")
    hypervisor = QemuHypervisor(data, detect=lambda: NOTHING, grace_seconds=0.1)
    vm = hypervisor.create(plain(tmp_path))
    eventually(lambda: (vm.folder / "console.log").read_text() == "up\n")
    hypervisor.remove(vm.id)
    assert guests_in(data) == set()


def test_the_variables_of_the_firmware_are_a_copy_that_stays(
    hypervisor: QemuHypervisor, tmp_path: Path
) -> None:
    (tmp_path / "vars").write_bytes(b"fresh")
    spec = plain(tmp_path, **_with_firmware(tmp_path, variables=str(tmp_path / "vars")))
    vm = hypervisor.create(spec)
    (vm.folder / "vars.fd").write_bytes(b"written by the guest")
    hypervisor.stop(vm.id)
    hypervisor.start(vm.id)
    assert (vm.folder / "vars.fd").read_bytes() == b"written by the guest"
    assert (tmp_path / "vars").read_bytes() == b"fresh"


def test_a_plain_vm_starts_from_firmware_that_measures_no_kernel(
    hypervisor: QemuHypervisor, tmp_path: Path
) -> None:
    (tmp_path / "bios").write_bytes(bytes(4096))
    assert hypervisor.create(plain(tmp_path, firmware=str(tmp_path / "bios"))).launch_measurement is None
    with pytest.raises(InvalidInput):
        hypervisor.create(
            replace(plain(tmp_path, firmware=str(tmp_path / "bios"), evidence="simulated"), id="other")
        )


REFUSALS: dict[str, tuple[Host, dict[str, Any], Platform, str, str]] = {
    "no QEMU": (
        NOTHING,
        {"binary": "no-such-qemu"},
        Platform.SEV_SNP,
        "no-such-qemu is not on",
        "apt-get install",
    ),
    "no image": (NOTHING, {"kernel": None, "initrd": None}, Platform.SEV_SNP, "image", "prism-iac vms image"),
    "no KVM": (NOTHING, {"acceleration": "on"}, Platform.SEV_SNP, "KVM cannot be used", "acceleration: auto"),
    "no SEV-SNP": (
        NOTHING,
        {"protection": "hardware"},
        Platform.SEV_SNP,
        "sev-snp is not switched on",
        "none",
    ),
    "no TDX": (
        NOTHING,
        {"protection": "hardware"},
        Platform.TDX,
        "tdx is not switched on",
        "protection: none",
    ),
    "no KVM for SEV-SNP": (
        replace(EVERYTHING, has_kvm=False),
        {"protection": "hardware"},
        Platform.SEV_SNP,
        "KVM cannot be used",
        "/dev/kvm",
    ),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_what_is_missing_on_the_machine_is_told_with_the_way_out(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[Host, dict[str, Any], Platform, str, str],
) -> None:
    host, settings, platform, message, fix = case
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hypervisor = QemuHypervisor(data, detect=lambda: host)
    with pytest.raises(Conflict, match=message) as refusal:
        hypervisor.create(replace(plain(tmp_path, **settings), platform=platform))
    assert fix in refusal.value.next_step
    assert hypervisor.list() == ()
    assert guests_in(data) == set()


def test_protection_by_hardware_is_what_a_vm_gets_that_says_nothing(data: Path) -> None:
    with pytest.raises(Conflict, match="does not protect guests"):
        QemuHypervisor(data, detect=lambda: NOTHING).create(SPEC)


@pytest.mark.parametrize("platform", [Platform.SEV_SNP, Platform.TDX])
def test_a_protected_guest_needs_a_firmware(data: Path, tmp_path: Path, platform: Platform) -> None:
    hypervisor = QemuHypervisor(data, detect=lambda: EVERYTHING)
    with pytest.raises(InvalidInput, match="starts from a firmware"):
        hypervisor.create(replace(plain(tmp_path, protection="hardware"), platform=platform))


@pytest.mark.parametrize("platform", [Platform.SEV_SNP, Platform.TDX])
def test_the_evidence_of_a_protected_guest_is_never_simulated(
    data: Path, tmp_path: Path, platform: Platform
) -> None:
    hypervisor = QemuHypervisor(data, detect=lambda: EVERYTHING)
    settings = _with_firmware(tmp_path, protection="hardware")
    vm = hypervisor.create(replace(plain(tmp_path, **settings), platform=platform))
    assert vm.launch_measurement is not None
    assert not (vm.folder / "shared" / "platform").exists()
    words = _arguments(vm)
    assert "-enable-kvm" in words
    assert any(
        f"confidential-guest-support={'sev0' if platform is Platform.SEV_SNP else 'tdx0'}" in w for w in words
    )


@pytest.mark.parametrize("name", ["kernel", "initrd", "firmware", "disk", "igvm"])
def test_a_file_that_is_missing_is_named(hypervisor: QemuHypervisor, tmp_path: Path, name: str) -> None:
    settings: dict[str, Any] = {"protection": "hardware"} if name == "igvm" else {}
    if name == "disk":
        settings |= {"kernel": None, "initrd": None}
    with pytest.raises(InvalidInput) as refusal:
        hypervisor.create(plain(tmp_path, **settings, **{name: str(tmp_path / "absent")}))
    assert [finding.path for finding in refusal.value.findings] == [f"qemu.{name}"]
