"""What agents are told, and how what they send is read."""

from __future__ import annotations

from typing import Final

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.backend.control.decision import Command, RunStage, Situation, decide
from prism_iac.backend.control.log_text import LogText
from prism_iac.backend.control.messages import parse_client_message
from prism_iac.model import AgentState
from prism_iac.wire import cvms_pb2

NONE, NEW, SENT, ACCEPTED = RunStage.NONE, RunStage.NEW, RunStage.SENT, RunStage.ACCEPTED
ASK, NOTHING, MANIFEST, STOP = Command.ASK_STATE, Command.NOTHING, Command.SEND_MANIFEST, Command.SEND_STOP
DISCONNECT = Command.DISCONNECT

DECISIONS: Final[dict[str, dict[RunStage, Command]]] = {
    "": {NONE: ASK, NEW: ASK, SENT: ASK, ACCEPTED: ASK},
    "Idle": {NONE: ASK, NEW: ASK, SENT: ASK, ACCEPTED: ASK},
    "ReceivingManifest": {NONE: NOTHING, NEW: MANIFEST, SENT: MANIFEST, ACCEPTED: ASK},
    "ReceivingAlgorithm": {NONE: ASK, NEW: STOP, SENT: ASK, ACCEPTED: ASK},
    "ReceivingData": {NONE: ASK, NEW: STOP, SENT: ASK, ACCEPTED: ASK},
    "Running": {NONE: ASK, NEW: STOP, SENT: ASK, ACCEPTED: ASK},
    "ConsumingResults": {NONE: NOTHING, NEW: STOP, SENT: ASK, ACCEPTED: ASK},
    "Complete": {NONE: NOTHING, NEW: STOP, SENT: ASK, ACCEPTED: ASK},
    "Failed": {NONE: NOTHING, NEW: STOP, SENT: ASK, ACCEPTED: ASK},
}
"""What an agent in a state is told, by how far the run of its CVM has come."""


@pytest.mark.parametrize("stage", RunStage)
@pytest.mark.parametrize("state", DECISIONS)
def test_the_next_command_follows_from_state_and_run(state: str, stage: RunStage) -> None:
    known = AgentState(state) if state else None
    assert decide(Situation(known, stage)) is DECISIONS[state][stage]


def test_the_table_covers_every_state() -> None:
    assert DECISIONS.keys() == {"", *AgentState}


@pytest.mark.parametrize("stage", RunStage)
@pytest.mark.parametrize("state", AgentState)
def test_an_agent_that_must_drop_a_computation_is_told_so_before_anything_else(
    state: AgentState, stage: RunStage
) -> None:
    assert decide(Situation(state, stage, must_reset=True)) is STOP
    assert decide(Situation(state, stage, must_reset=True, stop_is_on_the_way=True)) is ASK


@pytest.mark.parametrize("stage", RunStage)
@pytest.mark.parametrize("state", [None, *AgentState])
def test_the_agent_of_a_removed_vm_drops_what_it_has_and_then_its_connection(
    state: AgentState | None, stage: RunStage
) -> None:
    is_empty = state in (None, AgentState.IDLE, AgentState.RECEIVING_MANIFEST)
    assert decide(Situation(state, stage, is_removed=True)) is (DISCONNECT if is_empty else STOP)
    assert decide(Situation(state, stage, is_removed=True, must_reset=True)) is STOP
    told = Situation(state, stage, is_removed=True, must_reset=True, stop_is_on_the_way=True)
    assert decide(told) is DISCONNECT


def test_a_manifest_is_not_repeated_while_it_is_on_the_way() -> None:
    state = AgentState.RECEIVING_MANIFEST
    assert decide(Situation(state, SENT, manifest_is_on_the_way=True)) is ASK
    assert decide(Situation(state, SENT, manifest_is_on_the_way=False)) is MANIFEST


@given(st.text(), st.lists(st.integers(1, 7), min_size=1))
def test_text_survives_being_cut_anywhere(text: str, sizes: list[int]) -> None:
    data = text.encode()
    pieces: list[bytes] = []
    while data:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[:size])
        data = data[size:]
    reader = LogText()
    assert "".join(reader.decode(piece, line=1) for piece in pieces) == text.replace("\x00", "\ufffd")


def test_the_rest_of_a_cut_line_does_not_leak_into_the_next() -> None:
    reader = LogText()
    assert reader.decode("é".encode()[:1], line=1) == ""
    assert reader.decode(b"next", line=2) == "next"


@given(st.binary())
def test_any_bytes_in_a_log_message_are_read(data: bytes) -> None:
    message = cvms_pb2.ClientStreamMessage(agent_log=cvms_pb2.AgentLog(message="X" * 300, level="INFO"))
    frame = message.SerializeToString().replace(b"X" * 300, (data * 300)[:300].ljust(300, b"\xff"))
    read = parse_client_message(frame)
    assert len(read.agent_log.message) == 300
    assert read.agent_log.level == "INFO"


def test_other_messages_are_read_as_the_protocol_has_them() -> None:
    event = cvms_pb2.AgentEvent(event_type="Running", details=b"{}", computation_id="c", status="Starting")
    event.timestamp.FromNanoseconds(1_700_000_000_123_456_789)
    read = parse_client_message(cvms_pb2.ClientStreamMessage(agent_event=event).SerializeToString())
    assert read.WhichOneof("message") == "agent_event"
    assert read.agent_event.SerializeToString() == event.SerializeToString()


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(DecodeError):
        parse_client_message(b"\xff\xff\xff")
