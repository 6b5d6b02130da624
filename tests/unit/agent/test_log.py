from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from prism_iac.agent.server._log import LogForwarder
from prism_iac.agent.server._outbox import Outbox
from prism_iac.model import LogLevel
from prism_iac.wire.cvms_pb2 import AgentLog


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path, now=lambda: 0.0)


def lines(outbox: Outbox) -> list[AgentLog]:
    return [entry.message.agent_log for entry in outbox._waiting]


@pytest.mark.parametrize(
    ("method", "level"),
    [("debug", "DEBUG"), ("info", "INFO"), ("warning", "WARN"), ("error", "ERROR"), ("exception", "ERROR")],
)
def test_a_line_has_the_wires_level_and_its_attributes(outbox: Outbox, method: str, level: str) -> None:
    forward = LogForwarder(outbox, level=LogLevel.DEBUG, now_ns=lambda: 1_500_000_002)
    forward.computation_id = "c-1"
    forward(None, method, {"event": "data received", "size_bytes": 5, "level": "x", "exc_info": True})
    (line,) = lines(outbox)
    assert (line.message, line.level, line.computation_id) == ("data received size_bytes=5", level, "c-1")
    assert (line.timestamp.seconds, line.timestamp.nanos) == (1, 500_000_002)


def test_what_is_below_the_level_goes_nowhere(outbox: Outbox) -> None:
    forward = LogForwarder(outbox, level=LogLevel.WARN, now_ns=lambda: 0)
    with pytest.raises(structlog.DropEvent):
        forward(None, "info", {"event": "quiet"})
    forward(None, "warning", {"event": "loud"})
    assert [line.message for line in lines(outbox)] == ["loud"]


def test_a_long_line_goes_in_pieces_of_500_bytes_that_cut_no_character(outbox: Outbox) -> None:
    forward = LogForwarder(outbox, level=LogLevel.DEBUG, now_ns=lambda: 0)
    forward(None, "info", {"event": "a" + "é" * 600})
    pieces = [line.message for line in lines(outbox)]
    assert "".join(pieces) == "a" + "é" * 600
    assert [len(piece.encode()) for piece in pieces] == [499, 500, 202]


def test_text_that_is_no_unicode_does_not_stop_a_line(outbox: Outbox) -> None:
    forward = LogForwarder(outbox, level=LogLevel.DEBUG, now_ns=lambda: 0)
    forward(None, "info", {"event": "\udcff"})
    assert [line.message for line in lines(outbox)] == ["?"]
