"""What the component declares for a stack file that lies in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.provider import StackFile
from tests.unit.provider.engine_of_mocks import run

STACK = """\
environment: dev
workspace: research
vms:
  guest: {provider: qemu, qemu: {protection: none, kernel: images/vmlinuz, binary: ../qemu, disk_format: raw}}
  named: {provider: qemu, qemu: {binary: qemu-kvm}}
"""


def test_the_files_of_a_guest_are_told_relative_to_the_project_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stacks" / "images").mkdir(parents=True)
    (tmp_path / "stacks" / "dev.yaml").write_text(STACK)
    (tmp_path / "stacks" / "images" / "vmlinuz").touch()
    (tmp_path / "qemu").touch()
    monkeypatch.chdir(tmp_path)
    declared = run(lambda: StackFile("stacks/dev.yaml").vms["guest"].id)
    guest, named = declared["guest"].inputs["qemu"], declared["named"].inputs["qemu"]
    assert (guest["kernel"], guest["binary"]) == ("stacks/images/vmlinuz", "./qemu")
    assert (guest["disk_format"], named["binary"]) == ("raw", "qemu-kvm")
