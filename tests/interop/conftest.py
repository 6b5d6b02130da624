from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
from tests.interop.cocos_cli import CocosCli
from tests.interop.programs import Programs, find_programs

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
