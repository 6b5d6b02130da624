"""The command of the page about hypervisors, and its examples: a stack file's section, a program."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from prism_iac.hypervisor.cocos import CocosManager, ManagerAccess
from prism_iac.spec import validate_stack
from tests.contract.hypervisor.managers import OwnManager
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT
from tests.unit.provider.engine_of_mocks import run

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


@pytest.mark.filterwarnings("ignore:This resource is deprecated:DeprecationWarning")
def test_the_program_gives_a_vm_the_manager_that_it_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = (block.text for block in BLOCKS if block.language == "python")
    monkeypatch.chdir(tmp_path)
    for file in ("dist/prism_iac-1.0.0-py3-none-any.whl", "certs/manager.pem", "certs/clients-ca.pem"):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text("PEM")
    keys = {f"platform:{name}": name for name in ("sshKey", "managerServerKey", "managerKey")}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(keys))
    declared = run(lambda: exec(compile(example, "docs/hypervisors.md", "exec"), {}))  # noqa: S102  # our own page
    assert declared["trainer"].inputs["manager"] == "lab.example.com:7020"
    assert declared["lab-tls-key"].inputs["stdin"] == "managerServerKey"
