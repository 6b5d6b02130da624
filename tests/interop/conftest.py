from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prism_iac.backend import Settings
from prism_iac.backend._settings import keep_settings
from tests.contract.agent.conftest import (
    authority,
    control,
    guest,
    issue,
    keeper,
    key,
    make_vm,
    proven,
    required,
    scene,
    server,
    stranger,
    vm,
)
from tests.contract.agent.scene import Scene
from tests.contract.backend.test_real_agent import Scene as Prism
from tests.contract.backend.test_real_agent import opened
from tests.interop.cocos_cli import CocosCli
from tests.interop.network import Network, network
from tests.interop.programs import Programs, find_programs
from tests.interop.vm import CocosVm

__all__ = [
    "authority",
    "control",
    "guest",
    "issue",
    "keeper",
    "key",
    "make_vm",
    "proven",
    "required",
    "scene",
    "server",
    "stranger",
    "vm",
]


INSECURE_PORT = 7101

FOUND = find_programs()
# Where there are none, test_programs.py says so once for all.
collect_ignore_glob = [] if FOUND else ["test_*_and_*.py"]


@pytest.fixture(scope="session", params=FOUND, ids=str)
def programs(request: pytest.FixtureRequest) -> Programs:
    """The programs of each version in turn."""
    found: Programs = request.param
    return found


@pytest.fixture
def cli_of(programs: Programs, tmp_path: Path) -> Callable[[Scene], CocosCli]:
    """The command line of somebody who knows an agent."""

    def cli_of(scene: Scene) -> CocosCli:
        folder = tmp_path / "participant"
        folder.mkdir(exist_ok=True)
        return CocosCli(programs, folder, {"AGENT_GRPC_URL": scene.vm.address})

    return cli_of


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as net:
        yield net


@pytest.fixture
def prism(net: Network, tmp_path: Path) -> Iterator[Prism]:
    """A backend that the network's machines reach."""
    data = tmp_path / "backend"
    data.mkdir()
    keep_settings(Settings(data=data, control_host=net.address, insecure_port=INSECURE_PORT))
    with opened(tmp_path) as prism:
        yield prism


@pytest.fixture
def make_cocos_vm(prism: Prism, net: Network, programs: Programs) -> Callable[..., CocosVm]:
    """Starts VMs whose agents show a certificate, or go by their word."""

    def make_cocos_vm(*, is_certified: bool = True) -> CocosVm:
        cvm = prism.lab.cvm()
        vm = CocosVm(programs, net.machine(prism.folder / cvm), cvm)
        if is_certified:
            vm.start(prism.instance.control_address, prism.files_of(cvm))
        else:
            vm.start(prism.instance.insecure_address, {})
        return vm

    return make_cocos_vm


@pytest.fixture
def cocos_vm(prism: Prism, make_cocos_vm: Callable[..., CocosVm]) -> CocosVm:
    """A VM whose agent awaits a manifest."""
    vm = make_cocos_vm()
    prism.wait_for_state(vm, "ReceivingManifest")
    return vm
