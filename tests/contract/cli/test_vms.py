from __future__ import annotations

import pytest

from prism_iac.lifecycle import Live
from prism_iac.model.resources import ConfidentialVM
from tests.contract.cli.command_line import CommandLine
from tests.contract.lifecycle.stage import eventually


def test_a_vm_that_was_stopped_comes_back_under_its_name_and_address(
    line: CommandLine, vm: Live[ConfidentialVM]
) -> None:
    name = str(vm.state.name)
    assert line.out("vms", "stop", name) == f"{name}: stopped\n"
    assert line.out("vms", "stop", name) == f"{name}: not running\n"
    assert line.json("vms", "show", name)["local"]["running"] is False
    eventually(lambda: line.json("vms", "show", name)["status"] == "offline")

    assert line.out("vms", "start", name) == f"{name}: started\n"
    assert line.out("vms", "start", name) == f"{name}: running\n"
    eventually(lambda: line.json("vms", "show", name)["status"] == "online")
    shown = line.json("vms", "show", name)
    assert (shown["id"], shown["agent_address"]) == (vm.id, vm.state.agent_address)


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_vms_are_named_or_all_are_meant(line: CommandLine, verb: str) -> None:
    nobody = line.run("vms", verb)
    assert (nobody.code, "name VMs, or say --all" in nobody.err) == (2, True)
    stranger = line.run("vms", verb, "nowhere")
    assert (stranger.code, 'there is no VM "nowhere"' in stranger.err) == (1, True)
