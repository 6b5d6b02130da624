"""The commands of docs/backend.md, and the numbers in its table of bounds."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from prism_iac.backend._connections import Patience
from prism_iac.backend._edge import LARGEST_BODY_BYTES, LARGEST_BODY_OF_STRANGERS_BYTES, LARGEST_HEAD_BYTES
from prism_iac.backend._logins import LoginBrake
from prism_iac.backend.control import recording, server
from prism_iac.backend.records.fields import DEEPEST_METADATA, LARGEST_METADATA_BYTES
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.shell import run_in_one_shell
from tests.unit.backend.postgres import make_database

PAGE = Path(__file__).parents[3] / "docs" / "backend.md"


@pytest.mark.postgres
def test_the_replicas_of_the_page_start_and_end(tmp_path: Path, postgres_url: str) -> None:
    folder = tmp_path / "replicas"
    folder.mkdir()
    (script,) = (block.text for block in blocks_of(PAGE) if block.language == "sh")
    (said,) = run_in_one_shell(
        [script],
        folder,
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        DATABASE=make_database(postgres_url),
    )
    assert len(re.findall(r"^REST API ", said, re.MULTILINE)) == 3
    assert said.endswith("stopped\nstopped\n")
    assert (folder / "first" / "ca.pem").read_bytes() == (folder / "second" / "ca.pem").read_bytes()


def test_the_bounds_of_the_page_are_those_of_the_program() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    kib, mib, patience = 1 << 10, 1 << 20, Patience()
    numbers = {
        "body of a request": (LARGEST_BODY_BYTES // mib, LARGEST_BODY_OF_STRANGERS_BYTES // mib),
        "path, query and headers of a request": (LARGEST_HEAD_BYTES // kib,),
        "metadata of an account": (LARGEST_METADATA_BYTES // kib, DEEPEST_METADATA),
        "time for a whole request to arrive": (int(patience.request_seconds),),
        "time from there until the answer is read": (int(patience.answer_seconds),),
        "streams of one CVM": (server._MOST_STREAMS_OF_A_CVM,),
        "failed logins of one account": (LoginBrake.ATTEMPTS, LoginBrake.WINDOW.seconds // 60),
        "connections": (patience.most_connections, 503, patience.most_connections * 3 // 2),
        "message of an agent": (4, recording._LONGEST_LINE, recording._LARGEST_DETAILS_BYTES // kib),
    }
    for name, wanted in numbers.items():
        found = tuple(int(number) for number in re.findall(r"\d+", rows[name].replace(",", "")))
        assert found == wanted, name
