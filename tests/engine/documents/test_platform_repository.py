"""Every file and command of the guide, from an empty folder."""

from __future__ import annotations

from pathlib import Path

from prism_iac.testing.faults import end_processes_of, processes_of
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT
from tests.engine.documents.shell import run_in_one_shell

GUIDE = ROOT / "docs" / "platform-repository.md"


def test_the_guide_leads_from_an_empty_folder_to_a_result(tmp_path: Path) -> None:
    folder = tmp_path / "platform"
    folder.mkdir()
    blocks = blocks_of(GUIDE)
    written = [block.file_name for block in blocks if block.file_name]
    assert written == ["Pulumi.yaml", "sum.py", "__main__.py"]
    for block in blocks:
        if block.file_name:
            (folder / block.file_name).write_text(block.text, encoding="utf-8")
    commands = [block.text for block in blocks if block.language == "sh"]
    try:
        *_, result, _end = run_in_one_shell(commands, folder, PRISM_IAC=str(ROOT))
        assert result.splitlines()[-1] == "5050"
        assert processes_of(folder) == []
    finally:
        end_processes_of(folder)
