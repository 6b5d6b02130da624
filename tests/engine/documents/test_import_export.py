"""The page on imports and exports, in a copy of the checkout."""

from __future__ import annotations

import re
from pathlib import Path

from prism_iac.testing.faults import end_processes_of
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell

PAGE = ROOT / "docs" / "import-export.md"


def test_the_page_leads_through_every_command(tmp_path: Path) -> None:
    folder = copy_checkout(tmp_path / "prism-iac")
    blocks = blocks_of(PAGE)
    (file,) = (block for block in blocks if block.file_name)
    (folder / str(file.file_name)).write_text(file.text, encoding="utf-8")
    commands = [block.text for block in blocks if block.language == "sh"]
    try:
        _, exported, imported, restored, adopted, _ = run_in_one_shell(commands, folder)
    finally:
        end_processes_of(folder)
    assert '"name": "iris-regression"' in exported
    assert "PRIVATE" not in exported
    assert re.findall(r"^(?:to make|made) +(\d)$", imported, re.MULTILINE) == ["2", "2", "0"]
    assert re.findall(r"^there already +(\d)$", imported, re.MULTILINE) == ["0", "0", "2"]
    assert re.search(r"^computations +3$", restored, re.MULTILINE)
    assert "iris-regression: left out, its agent has certificates" in restored
    assert "and the preview is empty" in adopted
