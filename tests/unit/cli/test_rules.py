"""Rules as commands tell them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from prism_iac.cli._rules import rule_findings
from prism_iac.rules import RULES
from prism_iac.spec import load_stack
from tests.unit.cli.conftest import Run

STACK = """\
environment: prod
workspace: research
vms:
  first: {agent_log_level: debug}
  second: {agent_log_level: debug}
rules:
  hardware-evidence: {level: disabled}
  quiet-logs:
    waivers: [{resource: vms.first, reason: a fault, by: grace, until: 2026-12-31}]
"""


def test_a_plan_names_who_waived_what_and_until_when(here: Path) -> None:
    file = here / "prod.yaml"
    file.write_text(STACK)
    waived, broken = rule_findings(load_stack(file), date(2026, 12, 31))
    assert (waived.resource, waived.waived) == ("vms.first", True)
    assert waived.waiver == "by grace until 2026-12-31: a fault"
    assert (broken.resource, broken.waived, broken.waiver) == ("vms.second", False, "")
    assert broken.message.startswith("mandatory: the agent logs at the level debug. ")


def test_an_expired_waiver_fails_validation_at_its_line(run: Run, here: Path) -> None:
    (here / "prod.yaml").write_text(STACK.replace("2026-12-31", "2020-01-01"))
    ended = run("validate", "prod.yaml")
    assert ended.code == 1
    assert "prod.yaml:9:72: rules.quiet-logs.waivers[0].until: the waiver for" in ended.err
    assert "prod.yaml:4:28: vms.first.agent_log_level" in ended.err


def test_every_rule_is_listed_for_people_and_for_programs(run: Run) -> None:
    listed = json.loads(run("rules", "list", "--json").out)
    assert [rule["name"] for rule in listed] == [rule.name for rule in RULES]
    table = run("rules", "list").out
    assert all(f"{rule.name} " in table for rule in RULES)
    assert "rsa_bits=3072" in table
