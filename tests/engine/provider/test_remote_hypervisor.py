"""A remote hypervisor on a host that is reached over SSH: this machine, with another home."""

from __future__ import annotations

import json
import socket
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prism_iac.provider.remote._scripts import command_line
from prism_iac.testing.faults import end_processes_of, processes_of
from tests.contract.agent.vm import free_port
from tests.contract.hypervisor.installable import COCOS, make_wheel
from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo
from tests.engine.provider.sshd import SshHost, ssh_host, user_name

FOLDER = ".prism-manager/lab"
PROGRAM = """
    import json
    from pathlib import Path

    import pulumi
    import prism_iac

    given = json.loads(Path("given.json").read_text())
    lab = prism_iac.RemoteHypervisor(
        "lab",
        connection={**given["connection"], "private_key": pulumi.Output.secret(Path("user").read_text())},
        binary=given["binary"],
        listen="127.0.0.1",
        port=given["port"],
        vcpus=given["vcpus"],
        settings={"MANAGER_CORIM_SIGNING_KEY": "a-secret-of-the-host"},
    )
    pulumi.export("address", lab.address)
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SshHost]:
    with ssh_host(tmp_path / "host") as host:
        yield host
    end_processes_of(tmp_path)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_manager_outlives_the_connection_that_started_it(host: SshHost) -> None:
    port = free_port()
    upload = host.home / FOLDER / "uploads" / "v1" / "manager"
    upload.parent.mkdir(parents=True)
    upload.write_text(COCOS)
    host.run(command_line("install", FOLDER, "binary", "v1", "uploads/v1/manager", ""))
    host.run(command_line("write", FOLDER, "environment"), stdin="MANAGER_LOG_LEVEL=debug\n")
    start = ("start", FOLDER, "binary", "v1", "127.0.0.1", str(port), "none", "2", "10")
    host.run(command_line(*start), stdin="digest")
    assert listens(port)
    host.run(command_line("stop", FOLDER, str(port)))
    assert not listens(port)


@pytest.fixture
def project_on_host(project: Project, host: SshHost) -> Project:
    plugins = json.loads(project.pulumi("plugin", "ls", "--json"))
    if not any(plugin["name"] == "command" for plugin in plugins):
        pytest.skip("the plugin `command` is not installed (pulumi plugin install resource command)")
    project.write("user", (host.folder / "user").read_text())
    project.write("manager", COCOS)
    project.program(PROGRAM)
    return project


def test_a_manager_is_installed_updated_and_stopped(project_on_host: Project, host: SshHost) -> None:
    project, port = project_on_host, free_port()
    given = {
        "connection": {
            "host": "127.0.0.1",
            "port": host.port,
            "user": user_name(),
            "host_key": host.host_key,
        },
        "binary": "manager",
        "port": port,
        "vcpus": 2,
    }
    project.write("given.json", json.dumps(given))
    project.up()
    assert project.stack_outputs()["address"] == f"127.0.0.1:{port}"
    assert listens(port)
    assert project.preview().changes == {}
    assert "a-secret-of-the-host" not in json.dumps(project.deployment())

    project.write("given.json", json.dumps(given | {"vcpus": 4}))
    service = f"lab-service-{port}"
    assert project.preview().changes == {service: "update"}
    project.up()

    project.write("manager", f"{COCOS}\n# another version\n")
    assert project.preview().changes == {
        "lab-upload": "replace",
        "lab-install": "replace",
        service: "update",
    }
    project.up()
    assert listens(port)
    assert len(list(host.home.glob(".prism-manager/*/versions/*"))) == 1

    project.destroy()
    assert not listens(port)
    assert processes_of(host.home) == []


VM_ON_HOST = """
    import json
    from pathlib import Path

    import prism_iac

    given = json.loads(Path("given.json").read_text())
    lab = prism_iac.RemoteHypervisor(
        "lab",
        connection={"host": "127.0.0.1", "host_key": "ssh-ed25519 AAAA"},
        package=given["package"],
        python=given["python"],
        listen="127.0.0.1",
        port=given["port"],
    )
    prism_iac.ConfidentialVM("trainer", provider="cocos", manager=lab.address, vcpus=2)
"""


@pytest.fixture
def repo_with_commands(repo: PlatformRepo, tmp_path: Path) -> Iterator[PlatformRepo]:
    """Its commands run on this machine: the engine is real, the way over SSH is not."""
    plugin = tmp_path / "bin" / "pulumi-resource-command"
    plugin.parent.mkdir()
    plugin.write_text(f"#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name('command_here.py')}\n")
    plugin.chmod(0o700)
    home = tmp_path / "home"
    home.mkdir()
    environ = repo.project.environ
    environ |= {"PATH": f"{plugin.parent}:{environ['PATH']}", "HOST_HOME": str(home)}
    yield repo
    end_processes_of(tmp_path)


def test_no_vm_is_replaced_by_an_update_of_its_manager(
    repo_with_commands: PlatformRepo, tmp_path: Path
) -> None:
    project, port, other_port = repo_with_commands.project, free_port(), free_port()
    wheel = make_wheel(tmp_path)
    given = {"package": str(wheel), "python": sys.executable, "port": port}
    service = f"lab-service-{port}"
    project.write("given.json", json.dumps(given))
    project.program(VM_ON_HOST)
    project.up()
    vm = project.state()["trainer"].outputs["cvm_id"]
    assert project.preview().changes == {}

    # Another version: the manager starts anew and keeps its VM.
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.comment = b"another version"
    planned = project.preview().changes
    assert planned == {"lab-upload": "replace", "lab-install": "replace", service: "update"}
    project.up()
    assert project.state()["trainer"].outputs["cvm_id"] == vm

    # Another port: the VM leaves the first manager while that one runs.
    project.write("given.json", json.dumps(given | {"port": other_port}))
    project.up()
    assert project.state()["trainer"].outputs["cvm_id"] != vm
    assert listens(other_port)
    assert not listens(port)

    project.destroy()
    assert not listens(other_port)
    # A version that something runs from would stay.
    assert list((tmp_path / "home").glob(".prism-manager/*/versions")) == []
