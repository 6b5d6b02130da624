from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from prism_iac.attestation import SimulatedGuest, SimulatedPlatform, policy_from_evidence, verify_report
from prism_iac.hypervisor import Vm
from prism_iac.hypervisor.local import LocalHypervisor
from tests.unit.hypervisor.conftest import NOW, SPEC, eventually, spec


def _environment(vm: Vm) -> dict[str, str]:
    text = Path(f"/proc/{vm.pid}/environ").read_text()
    return dict(line.split("=", 1) for line in text.split("\0") if line)


def _is_the_command(vm: Vm) -> bool:
    """Whether it has passed its gate."""
    return b"read -r go" not in Path(f"/proc/{vm.pid}/cmdline").read_bytes()


def test_a_vm_is_a_detached_process_that_ps_shows_by_its_name(hypervisor: LocalHypervisor) -> None:
    vm = hypervisor.create(SPEC)
    eventually(lambda: _is_the_command(vm))
    assert os.getsid(vm.pid) == os.getpgid(vm.pid) == vm.pid
    assert os.getsid(vm.pid) != os.getsid(0)
    listed = subprocess.run(
        ["ps", "-o", "args=", "-p", str(vm.pid)], check=True, capture_output=True, text=True
    )
    assert listed.stdout.rstrip().endswith("trainer-9c41d2e")
    assert Path(f"/proc/{vm.pid}/cwd").readlink() == vm.folder / "work"
    eventually(lambda: (vm.folder / "console.log").read_text() == "up\n")


def test_a_vm_reads_nothing_and_writes_to_its_console(data: Path) -> None:
    vm = LocalHypervisor(data, command=("/bin/sh", "-c", "exec sleep 1000")).create(SPEC)
    eventually(lambda: Path(f"/proc/{vm.pid}/comm").read_text() == "sleep\n")
    descriptors = {number: Path(f"/proc/{vm.pid}/fd/{number}").readlink() for number in range(3)}
    console = vm.folder / "console.log"
    assert descriptors == {0: Path(os.devnull), 1: console, 2: console}


def test_the_agent_is_told_what_it_needs_and_no_secret_of_its_makers_environment(
    hypervisor: LocalHypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        monkeypatch.delenv(name)
    handed_on = {
        "PATH": "/usr/bin:/bin",
        "PIP_INDEX_URL": "https://index.example",
        "https_proxy": "http://proxy",
    }
    for name, value in {**handed_on, "PULUMI_ACCESS_TOKEN": "canary", "PYTHONPATH": "/elsewhere"}.items():
        monkeypatch.setenv(name, value)
    vm = hypervisor.create(SPEC)
    eventually(lambda: _is_the_command(vm))
    environment = _environment(vm)
    environment.pop("PWD", None)  # some shells add it
    folder = vm.folder
    assert environment == handed_on | {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "AGENT_LOG_LEVEL": "info",
        "AGENT_CVM_GRPC_URL": "127.0.0.1:7018",
        "AGENT_CVM_ID": SPEC.id,
        "AGENT_CVM_GRPC_CLIENT_CERT": f"{folder}/certs/cert.pem",
        "AGENT_CVM_GRPC_CLIENT_KEY": f"{folder}/certs/key.pem",
        "AGENT_CVM_GRPC_SERVER_CA_CERTS": f"{folder}/certs/ca.pem",
        "AGENT_LISTEN": vm.agent_address,
        "AGENT_STATE_DIR": str(folder),
        "AGENT_PLATFORM": "simulated-sev-snp",
        "AGENT_PLATFORM_DIR": f"{folder}/platform",
        "AGENT_EVIDENCE_SOCKET": str(folder / "evidence.sock"),
        "AGENT_LIMIT_MEMORY_MIB": "512",
        "AGENT_LIMIT_PROCESSES": "32",
        "AGENT_LIMIT_RUN_SECONDS": "90",
    }
    noted = dict(line.split("=", 1) for line in (folder / "environment").read_text().splitlines())
    assert noted == environment


def test_the_agent_has_the_keys_of_buckets_and_no_file_has_them(
    hypervisor: LocalHypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"AWS_SECRET_ACCESS_KEY": "canary-key", "AWS_SESSION_TOKEN": "canary-token"}
    told = {
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_ENDPOINT_URL": "https://store.example",
        "AWS_REGION": "eu-test-1",
        "AGENT_SOURCE_NETWORKS": "10.0.0.0/8",
    }
    for name, value in {**keys, **told, "AWS_PROFILE": "canary-profile"}.items():
        monkeypatch.setenv(name, value)
    vm = hypervisor.create(SPEC)
    eventually(lambda: _is_the_command(vm))
    environment = _environment(vm)
    assert (keys | told).items() <= environment.items()
    assert "AWS_PROFILE" not in environment
    written = b"".join(path.read_bytes() for path in vm.folder.rglob("*") if path.is_file())
    assert b"canary" not in written
    assert b"AWS_ENDPOINT_URL=https://store.example\n" in written


def test_the_files_of_a_vm_are_its_owners_alone_and_the_facts_hold_no_secret(
    hypervisor: LocalHypervisor,
) -> None:
    vm = hypervisor.create(SPEC)
    assert {
        path: (vm.folder / "certs" / path).read_bytes() for path in ("ca.pem", "cert.pem", "key.pem")
    } == {
        "ca.pem": SPEC.control_ca,
        "cert.pem": SPEC.client_certificate,
        "key.pem": SPEC.client_key,
    }
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (vm.folder, *vm.folder.rglob("*"))}
    assert all(mode & 0o077 == 0 for path, mode in modes.items() if path.name != "console.log")
    assert modes[vm.folder] == 0o700
    assert modes[vm.folder / "certs" / "key.pem"] == 0o600
    for file in ("vm.json", "environment"):
        assert SPEC.client_key not in (vm.folder / file).read_bytes()
    assert "secret" not in repr(SPEC)


def test_no_core_dump_of_a_vm_is_written(hypervisor: LocalHypervisor) -> None:
    vm = hypervisor.create(SPEC)
    limits = Path(f"/proc/{vm.pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits


def test_the_evidence_of_a_vm_is_signed_by_the_platform_of_its_data_folder(
    hypervisor: LocalHypervisor, data: Path
) -> None:
    vm = hypervisor.create(SPEC)
    evidence = SimulatedGuest.load(vm.folder / "platform").attest(b"n" * 64)
    root = SimulatedPlatform.load(data / "platform").root_pem
    result = verify_report(
        evidence, policy_from_evidence(evidence.report), roots=root, now=NOW, report_data=b"n" * 64
    )
    assert result.is_simulated


def test_vms_that_differ_in_vcpus_differ_in_measurement_and_like_ones_do_not(
    hypervisor: LocalHypervisor,
) -> None:
    def measurement(vm_id: str, vcpus: int) -> bytes:
        vm = hypervisor.create(replace(spec(vm_id), vcpus=vcpus))
        return SimulatedGuest.load(vm.folder / "platform").launch.measurement

    assert measurement("a", 2) == measurement("b", 2) != measurement("c", 4)


def test_a_reader_learns_the_facts_of_a_vm(hypervisor: LocalHypervisor) -> None:
    vm = hypervisor.create(SPEC)
    facts = ("id", "name", "platform", "vcpus", "agent_log_level", "control_address", "limits")
    assert {fact: getattr(vm, fact) for fact in facts} == {fact: getattr(SPEC, fact) for fact in facts}
    assert vm.running
    assert hypervisor.find(SPEC.id) == vm
    assert hypervisor.list() == (vm,)
