"""Every file and command of the page on the native plugin, in a folder of a copy of the checkout."""

from __future__ import annotations

import json
from pathlib import Path

from prism_iac.testing.faults import end_processes_of, processes_of
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell

PAGE = ROOT / "docs" / "native-plugin.md"


def test_the_page_leads_from_the_plugin_to_an_import_and_to_the_other_face(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "prism-iac")
    folder = checkout / "native"
    folder.mkdir()
    blocks = blocks_of(PAGE)
    for block in blocks:
        if block.file_name:
            (folder / block.file_name).write_text(block.text, encoding="utf-8")
    commands = [block.text for block in blocks if block.language == "sh"]
    try:
        said = run_in_one_shell(
            [f"cd .. && make setup && . .prism/env.sh && cd native\n{commands[0]}", *commands[1:]], folder
        )
        assert "warning: using pulumi-resource-prism" not in "".join(said)
        assert json.loads((folder / "schema.json").read_text())["name"] == "prism"
        assert any("the resources of dev are dynamic ones" in part for part in said)
        assert processes_of(folder) == []
    finally:
        end_processes_of(folder)
