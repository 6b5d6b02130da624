from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from prism_iac.agent.server._outbox import Outbox
from prism_iac.wire.cvms_pb2 import AgentEvent, AgentLog, AgentStateRes, ClientStreamMessage, RunResponse


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def event(name: str) -> ClientStreamMessage:
    return ClientStreamMessage(agent_event=AgentEvent(event_type=name))


def line(text: str) -> ClientStreamMessage:
    return ClientStreamMessage(agent_log=AgentLog(message=text))


def word_of(message: ClientStreamMessage) -> str:
    return message.agent_event.event_type or message.agent_log.message or message.agentStateRes.state


def written(outbox: Outbox) -> list[str]:
    """Everything that waits, written to the stream."""
    words: list[str] = []
    while outbox._waiting:
        entry = asyncio.run(outbox.next())
        words.append(word_of(entry.message))
        outbox.written(entry)
    return words


def test_messages_go_in_the_order_they_were_put(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, now=Clock())
    for message in (line("1"), event("2"), line("3")):
        outbox.put(message)
    assert written(outbox) == ["1", "2", "3"]
    assert written(outbox) == []


def test_a_message_that_comes_while_the_stream_waits_wakes_it(tmp_path: Path) -> None:
    async def scene() -> str:
        outbox = Outbox(tmp_path, now=Clock())
        waiting = asyncio.create_task(outbox.next())
        await asyncio.sleep(0)
        outbox.put(line("late"))
        return word_of((await waiting).message)

    assert asyncio.run(scene()) == "late"


def test_an_event_counts_as_delivered_once_the_peer_speaks_two_seconds_later(tmp_path: Path) -> None:
    clock = Clock()
    outbox = Outbox(tmp_path, now=clock)
    outbox.put(event("1"))
    written(outbox)
    clock.seconds = 1.9
    outbox.peer_spoke()
    assert len(list(tmp_path.iterdir())) == 1
    clock.seconds = 2.0
    outbox.peer_spoke()
    assert list(tmp_path.iterdir()) == []
    outbox.begin_stream()
    assert written(outbox) == []


def test_what_may_not_have_arrived_comes_first_on_the_next_stream(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, now=Clock())
    for message in (event("1"), line("a log"), event("2")):
        outbox.put(message)
    written(outbox)
    outbox.put(event("3"))
    outbox.begin_stream()
    assert written(outbox) == ["1", "2", "3"]


def test_an_answer_about_the_state_is_not_kept_for_another_stream(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, now=Clock())
    outbox.put(ClientStreamMessage(agentStateRes=AgentStateRes(state="Running")))
    outbox.put(event("1"))
    outbox.begin_stream()
    assert written(outbox) == ["1"]


def test_another_process_takes_up_what_was_not_delivered(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, now=Clock())
    outbox.put(event("1"))
    outbox.put(line("a log"))
    outbox.put(ClientStreamMessage(run_res=RunResponse(computation_id="c")))
    written(outbox)
    outbox.put(event("2"))
    another = Outbox(tmp_path, now=Clock())
    another.put(event("3"))
    assert written(another) == ["1", "", "2", "3"]
    assert [word_of(ClientStreamMessage.FromString(file.read_bytes())) for file in sorted(tmp_path.iterdir())] == [
        "1", "", "2", "3",
    ]  # fmt: skip


def test_a_cut_or_damaged_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "000000000003.part").write_bytes(b"half")
    (tmp_path / "000000000004").write_bytes(b"\xff\xff\xff")
    (tmp_path / "000000000005").write_bytes(event("5").SerializeToString())
    outbox = Outbox(tmp_path, now=Clock())
    outbox.put(event("6"))
    assert written(outbox) == ["5", "6"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["000000000005", "000000000006"]


def test_too_many_log_lines_push_out_the_oldest_but_no_event(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, now=Clock(), most_logs=2)
    outbox.put(event("1"))
    for text in ("a", "b", "c", "d"):
        outbox.put(line(text))
    assert outbox.dropped_logs == 2
    assert written(outbox) == ["1", "c", "d"]
    outbox.put(line("e"))
    assert outbox.dropped_logs == 2


def test_a_line_that_is_pushed_out_while_it_is_written_is_not_written_twice(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, now=Clock(), most_logs=1)
    outbox.put(line("a"))
    entry = asyncio.run(outbox.next())
    outbox.put(line("b"))
    outbox.written(entry)
    assert written(outbox) == ["b"]


@pytest.mark.fault(40)
def test_a_full_disk_does_not_stop_events(tmp_path: Path) -> None:
    folder = tmp_path / "pending"
    outbox = Outbox(folder, now=Clock())
    folder.rmdir()
    outbox.put(event("1"))
    assert written(outbox) == ["1"]
    outbox.begin_stream()
    assert written(outbox) == ["1"]
