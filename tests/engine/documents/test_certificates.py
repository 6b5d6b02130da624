"""Every file and command of the page on certificates, in a folder of a copy of the checkout."""

from __future__ import annotations

from pathlib import Path

from prism_iac.testing.faults import end_processes_of, processes_of
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell

PAGE = ROOT / "docs" / "certificates.md"


def test_the_page_leads_from_a_request_to_a_revocation(tmp_path: Path) -> None:
    folder = copy_checkout(tmp_path / "prism-iac") / "certificates"
    folder.mkdir()
    blocks = blocks_of(PAGE)
    for block in blocks:
        if block.file_name:
            (folder / block.file_name).write_text(block.text, encoding="utf-8")
    first, *others = (block.text for block in blocks if block.language == "sh")
    start = f"cd .. && make setup && . .prism/env.sh && cd certificates\n{first}"
    try:
        *_, ahead, revoked, _end = run_in_one_shell([start, *others], folder)
        assert "because renews: 1" in ahead
        assert "expires  certificates brought" in ahead
        assert "renews   certificates brought" not in ahead
        assert "issues other certificates: Prism says that these are revoked" in revoked
        assert processes_of(folder) == []
    finally:
        end_processes_of(folder)
