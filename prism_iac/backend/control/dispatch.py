"""Takes the decision about a stream from what the database knows, and prepares what to send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from prism_iac.backend._runs import Signal, end_run
from prism_iac.backend.control.decision import Command, RunStage, Situation, decide
from prism_iac.backend.control.stream import Stream
from prism_iac.backend.store import Database, cvms, runs
from prism_iac.backend.store.runs import Run
from prism_iac.wire import cvms_pb2

__all__ = ["Order", "next_order"]

_CHUNK_BYTES: Final = 1 << 20
_IN_CLEAR: Final = (
    "the agent is connected in clear, and the manifest holds the private key of its TLS certificate; "
    "connect it with the certificate of its VM, or run the computation without TLS files"
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to send on a stream, and how the run stands.

    Attributes:
        is_settled: Nothing is expected to happen within moments.
    """

    command: Command
    messages: tuple[cvms_pb2.ServerStreamMessage, ...]
    is_settled: bool


def next_order(database: Database, stream: Stream, *, now: datetime, at: float, patience: float) -> Order:
    """What to send on a stream next.

    Args:
        database: Where everything stands.
        stream: Whose agent is to be told.
        now: The time, for the record.
        at: The loop's time.
        patience: How many seconds an order has to take effect before it is given again.
    """
    with database.reading() as session:
        situation, run = _situation(session, stream, at=at, patience=patience)
        command = decide(situation)
        messages = _plain_messages(session, stream, command)
    if command is Command.SEND_MANIFEST:
        with database.writing() as session:
            cvms.lock(session, stream.cvm_id)
            # The run may have been stopped since.
            situation, run = _situation(session, stream, at=at, patience=patience)
            command = decide(situation)
            if command is Command.SEND_MANIFEST and run is not None:
                request = runs.request_of(session, run) or b""
                if not stream.is_private and _holds_a_key(request):
                    command, messages = Command.ASK_STATE, ()
                    end_run(session, run, Signal.MANIFEST_REFUSED, now=now, reason=_IN_CLEAR)
                else:
                    run.sent_at = now
                    messages = _manifest_messages(run, request)
            else:
                messages = _plain_messages(session, stream, command)
    is_settled = not situation.must_reset and situation.stage in (RunStage.NONE, RunStage.ACCEPTED)
    return Order(command, messages, is_settled)


def _situation(
    session: Session, stream: Stream, *, at: float, patience: float
) -> tuple[Situation, Run | None]:
    run = runs.active_of_cvm(session, stream.cvm_id)
    cvm = cvms.find_anywhere(session, stream.cvm_id)

    def is_recent(sent_at: float | None) -> bool:
        return sent_at is not None and at - sent_at < patience

    situation = Situation(
        state=stream.state,
        stage=_stage(run),
        must_reset=cvm is not None and cvm.must_reset,
        manifest_is_on_the_way=is_recent(stream.manifest_sent_at),
        stop_is_on_the_way=is_recent(stream.stop_sent_at),
        is_removed=cvm is not None and cvm.deleted_at is not None,
    )
    return situation, run


def _stage(run: Run | None) -> RunStage:
    if run is None:
        return RunStage.NONE
    if run.accepted_at is not None:
        return RunStage.ACCEPTED
    return RunStage.SENT if run.sent_at is not None else RunStage.NEW


def _holds_a_key(request: bytes) -> bool:
    return bool(cvms_pb2.ComputationRunReq.FromString(request).agent_config.key_file)


def _plain_messages(
    session: Session, stream: Stream, command: Command
) -> tuple[cvms_pb2.ServerStreamMessage, ...]:
    match command:
        case Command.ASK_STATE:
            question = cvms_pb2.AgentStateReq(id=stream.cvm_id)
            return (cvms_pb2.ServerStreamMessage(agentStateReq=question),)
        case Command.SEND_STOP:
            last = runs.latest_ended_on_cvm(session, stream.cvm_id)
            stop = cvms_pb2.StopComputation(computation_id=last.computation_id if last is not None else "")
            return (cvms_pb2.ServerStreamMessage(stopComputation=stop),)
        case Command.DISCONNECT:
            last_word = cvms_pb2.DisconnectReq(id=stream.cvm_id)
            return (cvms_pb2.ServerStreamMessage(disconnectReq=last_word),)
        case _:
            return ()


def _manifest_messages(run: Run, request: bytes) -> tuple[cvms_pb2.ServerStreamMessage, ...]:
    """The request in pieces that every agent takes, and the empty last one (cocos-grpc.md section 2.2)."""
    pieces = [request[start : start + _CHUNK_BYTES] for start in range(0, len(request), _CHUNK_BYTES)]
    chunks = [cvms_pb2.RunReqChunks(data=piece, id=run.id) for piece in pieces]
    chunks.append(cvms_pb2.RunReqChunks(id=run.id, is_last=True))
    return tuple(cvms_pb2.ServerStreamMessage(runReqChunks=chunk) for chunk in chunks)
