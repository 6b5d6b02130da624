"""The page on remote sources: its files and commands in a copy of the checkout, its examples, and what it says of errors."""

from __future__ import annotations

import socket
import zipfile
from contextlib import closing
from pathlib import Path

from prism_iac.spec import load_stack
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell
from tests.engine.processes import end_processes_of

PAGE = ROOT / "docs" / "remote-sources.md"
BLOCKS = blocks_of(PAGE)
PORT = "8443"


def test_the_page_leads_to_a_result_without_an_upload(tmp_path: Path) -> None:
    folder = copy_checkout(tmp_path / "prism-iac")
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = str(listener.getsockname()[1])
    for block in BLOCKS:
        if block.file_name:
            (folder / block.file_name).write_text(block.text.replace(PORT, port), encoding="utf-8")
    commands = [block.text.replace(PORT, port) for block in BLOCKS if block.language == "sh"]
    try:
        _, rendered, updated, fetched, other, _ = run_in_one_shell(commands, folder)
    finally:
        end_processes_of(folder)
    assert f'"source":{{"url":"https://localhost:{port}/iris.csv"}}' in rendered
    assert "12 created" in updated
    assert "12 unchanged" in updated
    assert "as the agent told Prism" in fetched
    assert "regression.json" in zipfile.ZipFile(folder / ".prism" / "remote.zip").namelist()
    asked = (folder / ".prism" / "store.log").read_text()
    assert [asked.count(f"GET /{name} ") for name in ("iris.csv", "lin_reg.py")] == [1, 1]
    assert "computations.iris-regression.manifest_sha3_256: the lock says " in other
    assert "its agent fetches the algorithm and the datasets itself" in other
    assert f"source.url: https://localhost:{port}/iris.csv -> " in other


def test_the_examples_are_entries_of_a_stack_file(tmp_path: Path) -> None:
    examples = [block.text for block in BLOCKS if block.language == "yaml" and block.file_name is None]
    for number, example in enumerate(examples):
        stack = tmp_path / f"{number}.yaml"
        people = "".join(f"  {name}: {{user: {name}@example.com}}\n" for name in ("ada", "grace"))
        stack.write_text(
            f"environment: dev\nworkspace: w\nparticipants:\n{people}{example}", encoding="utf-8"
        )
        assert all(asset.source for asset in load_stack(stack).assets.values())
    assert len(examples) == 2


def test_what_the_page_says_of_errors_is_what_the_code_says() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## What cannot be")[2].partition("\nImports and")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    told = [row[1].removesuffix(" |").partition(":")[0] for row in rows]
    code = "".join(
        path.read_text(encoding="utf-8")
        for room in ("agent", "lifecycle", "model", "spec")
        for path in (ROOT / "prism_iac" / room).rglob("*.py")
    )
    not_errors = {"proxies are not used", "it asks anonymously"}
    assert [words for words in told if words not in not_errors and words not in code] == []
    assert len(told) > len(not_errors)
