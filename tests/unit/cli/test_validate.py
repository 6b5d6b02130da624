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
