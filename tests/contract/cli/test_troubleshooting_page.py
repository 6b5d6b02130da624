"""docs/troubleshooting.md: its commands work, and its tables have every check."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest

from prism_iac.cli.diagnose._checks import CHECKS as OF_COMPUTATIONS
from prism_iac.cli.doctor._checks import CHECKS as OF_MACHINES
from prism_iac.hypervisor import open_hypervisor
from prism_iac.lifecycle import Live
from prism_iac.model import VmProvider
from tests.contract.cli.command_line import SameProcess
from tests.contract.lifecycle.stage import ADA, GRACE, Stage
from tests.engine.documents.blocks import blocks_of

PAGE: Final = Path(__file__).parents[3] / "docs" / "troubleshooting.md"


@pytest.mark.parametrize(
    ("section", "checks"), [("This machine", OF_MACHINES), ("A computation", OF_COMPUTATIONS)]
)
def test_the_tables_have_every_check(section: str, checks: dict[str, Any]) -> None:
    text = PAGE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    cells = [row.split("|")[2] for row in text.splitlines() if row.startswith("|")]
    assert set(re.findall(r"`([^`]+)`", " ".join(cells[2:]))) == set(checks)


def test_the_commands_of_the_page_find_nothing_wrong(
    quick: SameProcess, stage: Stage, computation: Live[Any], vm: Live[Any]
) -> None:
    stage.register_keys(computation, ADA, GRACE)
    (quick.folder / "policy.json").write_bytes(stage.workspace.cvms.attestation_policy(vm.id))
    roots = open_hypervisor(VmProvider.LOCAL, data=stage.data).evidence_roots()
    (quick.folder / "roots.pem").write_bytes(roots or b"")
    commands = ("prism-iac doctor", "prism-iac diagnose")
    lines = [
        line for block in blocks_of(PAGE) for line in block.text.splitlines() if line.startswith(commands)
    ]
    assert len(lines) == 4
    for line in lines:
        ended = quick.run(*shlex.split(line)[1:])
        # Whether this machine has a Pulumi CLI is not for the page to say.
        assert (ended.code == 0) or line == "prism-iac doctor", ended.err
