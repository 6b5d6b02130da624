from __future__ import annotations

import json

from prism_iac.attestation.policy import PolicyFile
from prism_iac.lifecycle import Live
from prism_iac.model.resources import ConfidentialVM
from tests.contract.cli.command_line import CommandLine


def test_the_policy_of_a_vm_is_fetched_edited_and_signed(line: CommandLine, vm: Live[ConfidentialVM]) -> None:
    name = str(vm.state.name)
    printed = json.loads(line.out("policy", "create", "--vm", name))
    assert printed["policy"]["product"] == {"name": "SEV_PRODUCT_SIMULATED"}

    line.out("policy", "create", "--vm", name, "--form", "corim", "--output", "policy.corim")
    line.out("policy", "hostdata", "ab" * 32, "policy.corim")
    line.out("keys", "--type", "ecdsa", "--output", "ada")
    line.out("policy", "sign", "policy.corim", "--key", "ada.pem", "--output", "policy.cose")
    shown = line.json("policy", "show", "policy.cose", "--key", "ada.pub.pem")
    assert shown["signature"]["holds"] is True
    changed = PolicyFile.parse((line.folder / "policy.cose").read_bytes()).document.values()
    assert changed["policy"].pop("hostData") != printed["policy"].pop("hostData")
    assert changed == printed
