"""The commands of docs/cocos.md about agents without certificates."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.contract.agent.vm import free_port
from tests.contract.cli.command_line import CommandLine
from tests.engine.documents.blocks import blocks_of

PAGE = Path(__file__).parents[3] / "docs" / "cocos.md"


def test_the_backend_of_the_page_opens_a_port_in_clear(tmp_path: Path) -> None:
    line = CommandLine(tmp_path, {"PRISM_IAC_DATA": str(tmp_path / "data")})
    script = next(block.text for block in blocks_of(PAGE) if "--insecure-agents" in block.text)
    port = free_port()
    said = [
        line.out(*shlex.split(command)[1:])
        for command in re.sub(r"(?<=--insecure-agents )\d+", str(port), script).splitlines()
    ]
    _, status, down = said
    assert re.search(rf"control stream, in clear +127\.0\.0\.1:{port}\n", status)
    assert down == "stopped\n"
