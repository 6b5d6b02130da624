"""The page about VMs that QEMU runs: its sections are stack files, and its commands are typed around a guest that boots."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from prism_iac.hypervisor import open_hypervisor
from prism_iac.hypervisor.qemu.guest import find_image
from prism_iac.model import AgentState, VmProvider
from prism_iac.spec import validate_stack
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT
from tests.engine.documents.shell import run_in_one_shell
from tests.engine.provider.platform_repo import PlatformRepo

BLOCKS = blocks_of(ROOT / "docs" / "qemu.md")
(SETUP, COMMANDS) = (block.text for block in BLOCKS if block.language == "sh")
(VM, POLICY) = (block.text for block in BLOCKS if block.language == "yaml")
HEADER = "environment: dev\nworkspace: research\n"
INSTALLATION = "apt-get install qemu-system-x86\n"

QEMU_FOLDER = ROOT / ".qemu"
SEARCH_PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"], str(QEMU_FOLDER)))


def test_its_sections_are_parts_of_a_stack_file(tmp_path: Path) -> None:
    stack = tmp_path / "stack.yaml"
    stack.write_text(f"{HEADER}{VM}{POLICY}", encoding="utf-8")
    missing = {f"attestation_policies.snp.launch.{name}" for name in ("firmware", "kernel", "initrd")}
    assert {finding.path for finding in validate_stack(stack)} == missing
    for name in ("OVMF.amdsev.fd", "kernel", "initrd"):
        (tmp_path / name).touch()
    assert validate_stack(stack) == ()


def test_it_names_the_package_that_the_checkout_unpacks() -> None:
    assert SETUP.startswith(INSTALLATION)
    package = INSTALLATION.rsplit(maxsplit=1)[-1]
    assert f"--no-install-recommends {package} " in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.skipif(
    shutil.which("qemu-system-x86_64", path=SEARCH_PATH) is None,
    reason="there is no qemu-system-x86_64; `make guest` obtains it",
)
@pytest.mark.skipif(
    find_image(os.environ) is None,
    reason="the guest image of this code is not built; `make guest` builds it",
)
def test_the_guest_of_the_page_boots_and_its_commands_know_it(repo: PlatformRepo) -> None:
    project = repo.project
    project.write("stack.yaml", f"{HEADER}{VM}")
    project.program('import prism_iac\n\nprism_iac.StackFile("stack.yaml")\n')
    project.environ["PATH"] = f"{project.environ['PATH']}{os.pathsep}{QEMU_FOLDER}"

    def typed(*blocks: str) -> list[str]:
        return run_in_one_shell(blocks, project.folder, PATH=SEARCH_PATH, PRISM_WORKSPACE="research")

    (image,) = typed(SETUP.removeprefix(INSTALLATION))
    assert str(find_image(os.environ).kernel) in image  # type: ignore[union-attr]  # else the test is skipped
    project.up()
    try:
        (guest,) = open_hypervisor(VmProvider.QEMU, data=repo.data).list()
        (said,) = typed(COMMANDS)
        _, listed, stopped, started = said.splitlines()
        assert listed.split()[:3] == [guest.name, "online", AgentState.RECEIVING_MANIFEST]
        assert (stopped, started) == (f"{guest.name}: stopped", f"{guest.name}: started")
        (again,) = open_hypervisor(VmProvider.QEMU, data=repo.data).list()
        assert again.running
        assert again.pid != guest.pid
    finally:
        project.destroy()
    assert open_hypervisor(VmProvider.QEMU, data=repo.data).list() == ()
