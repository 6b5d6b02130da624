"""A host of our own that is reached over SSH: this machine, with another home."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.agent.vm import free_port
from tests.contract.hypervisor.manager_cases import eventually

_CONFIGURATION = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
SetEnv HOME={home}
Subsystem sftp internal-sftp -d {home}
"""


@dataclass(frozen=True, slots=True)
class SshHost:
    """Where it is, and what is needed to get in."""

    folder: Path
    port: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def host_key(self) -> str:
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    def run(self, command: str, *, stdin: str = "") -> str:
        """What a command says that the shell of the user runs."""
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        options = ("-F", "none", "-o", f"UserKnownHostsFile={known}", "-i", str(self.folder / "user"))
        return subprocess.run(
            ["ssh", *options, "-p", str(self.port), "127.0.0.1", command],
            input=stdin,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        ).stdout


@contextmanager
def ssh_host(folder: Path) -> Iterator[SshHost]:
    """A host that is there until the end; the test is skipped where there is no sshd."""
    server = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if server is None:
        pytest.skip("sshd is not installed (openssh-server)")
    host = SshHost(folder, free_port())
    host.home.mkdir(parents=True)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    configuration = folder / "sshd_config"
    configuration.write_text(_CONFIGURATION.format(folder=folder, home=host.home, port=host.port))
    with (
        (folder / "sshd.log").open("wb") as log,
        subprocess.Popen([server, "-D", "-e", "-f", str(configuration)], stderr=log) as process,
    ):
        try:
            eventually(lambda: process.poll() is not None or _answers(host.port))
            if process.poll() is not None:
                pytest.skip(f"sshd does not start here: {(folder / 'sshd.log').read_text().strip()}")
            yield host
        finally:
            process.terminate()


def user_name() -> str:
    """Who logs in."""
    return getpass.getuser()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
