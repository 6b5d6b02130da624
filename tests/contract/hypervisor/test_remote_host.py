"""What a remote hypervisor runs on a host: the real scripts in a home of their own, by the shell of the machine."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prism_iac.hypervisor.cocos import CocosManager, ManagerAccess, ManagerUnreachable
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority
from prism_iac.provider.remote._scripts import command_line
from tests.contract.agent.vm import free_port
from tests.contract.hypervisor.installable import COCOS, make_wheel
from tests.contract.hypervisor.manager_cases import HOUR, SPEC

FOLDER = ".prism-manager/lab"
DAY = timedelta(days=1)
EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)


@dataclass(frozen=True, slots=True)
class Host:
    """A home on this machine, and what SSH would run there."""

    home: Path
    port: int

    @property
    def folder(self) -> Path:
        return self.home / FOLDER

    @property
    def pid(self) -> int:
        return int((self.folder / str(self.port) / "pid").read_text())

    def run(self, script: str, *arguments: str, stdin: str = "") -> str:
        ended = self.try_run(script, *arguments, stdin=stdin)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def try_run(self, script: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command_line(script, FOLDER, *arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd="/",
            env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
        )

    def install(self, version: str, file: Path, *, kind: str = "package") -> None:
        upload = self.folder / "uploads" / version / file.name
        upload.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, upload)
        self.run("install", kind, version, f"uploads/{version}/{file.name}", sys.executable)

    def start(self, version: str, *, digest: str = "1", tls: str = "none", kind: str = "package") -> None:
        ended = self.try_start(version, digest=digest, tls=tls, kind=kind)
        assert ended.returncode == 0, ended.stderr

    def try_start(
        self, version: str, *, digest: str = "1", tls: str = "none", kind: str = "package"
    ) -> subprocess.CompletedProcess[str]:
        return self.try_run(
            "start", kind, version, "127.0.0.1", str(self.port), tls, "2", "10", stdin=f"{digest}\n"
        )

    def stop(self) -> None:
        self.run("stop", str(self.port))

    def processes(self) -> list[str]:
        """The command lines of all that runs from the host's home."""
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        return [line for line in lines if str(self.home) in line]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path / "it's home", free_port())
    host.home.mkdir()
    host.run("write", "environment")
    yield host
    host.stop()
    hypervisor = LocalHypervisor(host.folder / str(host.port) / "data", grace_seconds=1)
    for vm in hypervisor.list():
        hypervisor.remove(vm.id)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheel(tmp_path_factory.mktemp("wheel"))


def test_a_manager_lives_from_its_installation_to_its_removal(host: Host, wheel: Path) -> None:
    host.install("v1", wheel)
    host.start("v1")
    first = host.pid
    with CocosManager(ManagerAccess(f"127.0.0.1:{host.port}")) as manager:
        manager.require(vcpus=2)
        manager.create(SPEC, ttl=HOUR)

    # The same again changes nothing.
    complete = host.folder / "versions" / "v1" / ".complete"
    made_at = complete.stat().st_mtime_ns
    host.install("v1", wheel)
    host.start("v1")
    assert (complete.stat().st_mtime_ns, host.pid) == (made_at, first)

    # Other files start it anew, with its VM.
    host.start("v1", digest="2")
    assert host.pid != first
    with CocosManager(ManagerAccess(f"127.0.0.1:{host.port}")) as manager:
        manager.require(vcpus=2)
    (vm,) = (vm for vm in LocalHypervisor(host.folder / str(host.port) / "data").list() if vm.running)

    # Another version with the same files starts, too, and stands beside the first, which stays as long as the VM runs from it.
    host.install("v2", wheel)
    second = host.pid
    host.start("v2", digest="2")
    assert host.pid != second
    assert "stays" in host.run("remove", "v1")
    assert sorted(path.name for path in (host.folder / "versions").iterdir()) == ["v1", "v2"]
    LocalHypervisor(host.folder / str(host.port) / "data", grace_seconds=1).remove(vm.id)

    for _ in range(2):
        host.stop()
    assert host.processes() == []
    for _ in range(2):
        host.run("remove", "v2")
    assert not (host.folder / "versions").exists()
    assert not (host.folder / "uploads").exists()


def test_it_serves_those_alone_whom_its_files_name(host: Host, wheel: Path) -> None:
    now = datetime.now(UTC)
    authority = Authority.create("Test CA", key=EC, now=now, validity=DAY)
    own = authority.issue(common_name="manager", ip_addresses=["127.0.0.1"], key=EC, now=now, validity=DAY)
    client = authority.issue(common_name="platform", key=EC, now=now, validity=DAY)
    ca = authority.certificate_pem
    for file, content in (("certificate", own.certificate_pem), ("key", own.key_pem), ("client_ca", ca)):
        host.run("write", f"tls/{file}", stdin=content.decode())
        assert (host.folder / "tls" / file).stat().st_mode & 0o777 == 0o600
    host.install("v1", wheel)
    host.start("v1", tls="mutual")
    address = f"127.0.0.1:{host.port}"
    with CocosManager(ManagerAccess(address, ca, client.certificate_pem, client.key_pem)) as manager:
        manager.require(vcpus=2)
    with CocosManager(ManagerAccess(address, ca)) as stranger, pytest.raises(ManagerUnreachable):
        stranger.require(vcpus=2)
    for file in ("certificate", "key", "client_ca"):
        host.run("erase", f"tls/{file}")
    assert list((host.folder / "tls").iterdir()) == []


def test_the_manager_of_cocos_is_told_in_its_own_words(host: Host, tmp_path: Path) -> None:
    binary = tmp_path / "manager"
    binary.write_text(COCOS)
    host.install("v1", binary, kind="binary")
    host.run("write", "environment", stdin="MANAGER_QEMU_CPU='a b'\"'\"'$c'\n")
    host.start("v1", tls="mutual", kind="binary")
    tls = host.folder / "tls"
    assert ast.literal_eval((host.folder / str(host.port) / "given").read_text()) == {
        "MANAGER_GRPC_HOST": "127.0.0.1",
        "MANAGER_GRPC_PORT": str(host.port),
        "MANAGER_GRPC_SERVER_CERT": str(tls / "certificate"),
        "MANAGER_GRPC_SERVER_KEY": str(tls / "key"),
        "MANAGER_GRPC_CLIENT_CA_CERTS": str(tls / "client_ca"),
        "MANAGER_MAX_VMS": "10",
        "MANAGER_QEMU_SMP_COUNT": "2",
        "MANAGER_QEMU_CPU": "a b'$c",
    }
    host.stop()
    assert host.processes() == []


def test_a_start_that_fails_says_why_and_leaves_nothing(host: Host, tmp_path: Path) -> None:
    binary = tmp_path / "manager"
    binary.write_text("#!/bin/sh\necho no KVM on this host\nexit 1\n")
    host.install("v1", binary, kind="binary")
    ended = host.try_start("v1", kind="binary")
    assert ended.returncode == 1
    assert "no KVM on this host" in ended.stderr
    assert f"does not serve port {host.port}" in ended.stderr
    assert host.processes() == []
    with socket.create_server(("127.0.0.1", host.port)):
        taken = host.try_start("v1", kind="binary")
    assert (taken.returncode, taken.stderr) == (
        1,
        f"Port {host.port} of the host is in use by another program.\n",
    )


def test_an_installation_that_failed_is_made_again(host: Host, wheel: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken-1-py3-none-any.whl"
    broken.write_bytes(b"no wheel")
    with pytest.raises(AssertionError):
        host.install("v1", broken)
    host.install("v1", wheel)
    host.start("v1")


def test_a_host_whose_python_is_too_old_is_told_so(host: Host, tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o700)
    ended = host.try_run("install", "package", "v1", "prism-iac", str(old))
    assert (ended.returncode, ended.stderr) == (
        1,
        f"{old} is not Python 3.11 or newer with venv. Install it on the host, or name another.\n",
    )


def test_a_process_that_took_the_number_of_a_manager_lives_on(host: Host) -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        run = host.folder / str(host.port)
        run.mkdir(parents=True)
        (run / "pid").write_text(f"{other.pid}\n")
        host.stop()
        assert other.poll() is None
        other.kill()
