from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.conftest import Run


def test_findings_of_all_files_come_as_one_json_document(run: Run, here: Path) -> None:
    (here / "good.yaml").write_text("environment: dev\nworkspace: research\n")
    (here / "one.yaml").write_text("environment: dev\nworkspace: research\ncolour: red\n")
    (here / "two.yaml").write_text("environment: dev\nworkspace: research\nvms: 3\n")
    ended = run("validate", "good.yaml", "one.yaml", "two.yaml", "--json")
    assert (ended.code, ended.err) == (1, "")
    findings = json.loads(ended.out)
    places = [(finding["file"], finding["line"], finding["column"]) for finding in findings]
    assert places == [("one.yaml", 3, 1), ("two.yaml", 3, 1)]
    assert all(finding["message"] and finding["fix"] for finding in findings)


def test_no_findings_are_an_empty_document(run: Run, here: Path) -> None:
    (here / "good.yaml").write_text("environment: dev\nworkspace: research\n")
    ended = run("validate", "good.yaml", "--json")
    assert (ended.code, json.loads(ended.out)) == (0, [])


def test_rules_are_told_by_place_and_only_mandatory_ones_fail(run: Run, here: Path) -> None:
    (here / "base.yaml").write_text("workspace: research\nvms:\n  trainer: {agent_log_level: debug}\n")
    stack = here / "prod.yaml"
    stack.write_text("extends: base.yaml\nenvironment: prod\n")
    ended = run("validate", "prod.yaml")
    assert ended.code == 1
    assert "base.yaml:3:30: vms.trainer.agent_log_level: the agent logs at the level debug" in ended.err
    assert "(mandatory rule quiet-logs)" in ended.err

    advisory = "{level: advisory}"
    stack.write_text(
        f"extends: base.yaml\nenvironment: prod\nrules: {{quiet-logs: {advisory}, hardware-evidence: {advisory}}}\n"
    )
    ended = run("validate", "prod.yaml")
    assert (ended.code, ended.out) == (0, "prod.yaml: nothing is wrong\n")
    assert "(advisory rule quiet-logs)" in ended.err
