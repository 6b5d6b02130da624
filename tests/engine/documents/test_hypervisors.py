"""The command of the page about hypervisors, and its example of a stack file's section."""

from __future__ import annotations

import shlex
from pathlib import Path

from prism_iac.hypervisor.cocos import CocosManager, ManagerAccess
from prism_iac.spec import validate_stack
from tests.contract.hypervisor.managers import OwnManager
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT

BLOCKS = blocks_of(ROOT / "docs" / "hypervisors.md")


def test_the_manager_of_the_command_takes_calls(tmp_path: Path) -> None:
    (command,) = (block.text for block in BLOCKS if block.language == "sh")
    program, *subcommand, option, _ = shlex.split(command)
    assert (program, subcommand, option) == ("prism-iac", ["manager", "run"], "--listen")
    manager = OwnManager(tmp_path / "manager")
    try:
        manager.start()
        with CocosManager(ManagerAccess(manager.address)) as client:
            client.require(vcpus=2)
    finally:
        manager.close()


def test_the_example_is_a_section_of_a_stack_file(tmp_path: Path) -> None:
    (example,) = (block.text for block in BLOCKS if block.language == "yaml")
    (tmp_path / "certs").mkdir()
    for name in ("manager-ca.pem", "platform.pem", "platform.key"):
        (tmp_path / "certs" / name).write_bytes(b"PEM")
    stack = tmp_path / "lab.yaml"
    stack.write_text(f"environment: lab\nworkspace: research\n{example}", encoding="utf-8")
    assert validate_stack(stack) == ()
    (tmp_path / "certs" / "platform.key").unlink()
    (missing,) = validate_stack(stack)
    assert missing.path == "vms.trainer.manager_tls.client_key"
