"""Writes down what agents tell, and what follows from it for runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from prism_iac.backend._runs import Signal, end_run, event_id
from prism_iac.backend.control.stream import Stream
from prism_iac.backend.store import cvms, events, runs
from prism_iac.backend.store.runs import Run
from prism_iac.model import AgentState, ComputationStatus, LogLevel, details_of

__all__ = ["record"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.control")

_LARGEST_REPORT_BYTES: Final = 1 << 20
_LONGEST_LINE: Final = 16_384
_LARGEST_DETAILS_BYTES: Final = 65_536
_LONGEST_WORD: Final = 255
"""What agents say is cut to sizes that whoever lists a hundred of them can take; agents of Cocos stay far below."""
_IDLE_ANSWERS_THAT_PROVE_A_RESTART: Final = 2
"""One may cross the manifest on its way."""

_RESULTS_ARE_READY: Final = frozenset({AgentState.CONSUMING_RESULTS, AgentState.COMPLETE})
_AWAITS_MANIFEST: Final = frozenset({AgentState.IDLE, AgentState.RECEIVING_MANIFEST})


def record(session: Session, stream: Stream, messages: Iterable[Any], *, now: datetime) -> None:
    """Write down messages in their order; kinds that are not known are passed over."""
    cvms.lock(session, stream.cvm_id)
    for message in messages:
        kind = message.WhichOneof("message")
        if kind in _RECORDERS:
            _RECORDERS[kind](session, stream, getattr(message, kind), now)


def _log_line(session: Session, stream: Stream, line: Any, now: datetime) -> None:
    at = _moment(line.timestamp, now)
    text = stream.text.decode(line.message, line=(line.timestamp.ToNanoseconds(), line.level))
    run = _run_at(session, stream, line.computation_id, at)
    if run is not None:
        events.add_log(
            session, run, level=_word(line.level).lower(), message=text[:_LONGEST_LINE], timestamp=at
        )


def _event(session: Session, stream: Stream, event: Any, now: datetime) -> None:
    at = _moment(event.timestamp, now)
    run = _run_at(session, stream, event.computation_id, at)
    if run is None:
        return
    event_type, status, originator = _word(event.event_type), _word(event.status), _word(event.originator)
    stamp = f"{event.timestamp.seconds}.{event.timestamp.nanos}"
    is_news = events.add_event(
        session,
        run,
        event_id=event_id(run.id, event_type, status, stamp, originator),
        event_type=event_type,
        status=status,
        originator=originator,
        details=event.details[:_LARGEST_DETAILS_BYTES],
        timestamp=at,
    )
    if not is_news:
        return
    if error := _error_in(event.details):
        events.add_log(session, run, level=LogLevel.ERROR, message=error, timestamp=at)
    latest = runs.latest_on_cvm(session, stream.cvm_id)
    if event_type in set(AgentState) and latest is not None and latest.id == run.id:
        cvms.lock(session, stream.cvm_id).state = event_type
        _follow(session, run, AgentState(event_type), now=now)


def _state(session: Session, stream: Stream, answer: Any, now: datetime) -> None:
    if answer.state not in set(AgentState):
        _log.warning("agent is in an unknown state", cvm=stream.cvm_id, state=answer.state)
        return
    state = stream.state = AgentState(answer.state)
    cvm = cvms.lock(session, stream.cvm_id)
    cvm.state = state
    run = runs.active_of_cvm(session, stream.cvm_id)
    if run is None:
        return
    if run.accepted_at is None or state not in _AWAITS_MANIFEST:
        stream.idle_answers = 0
        _follow(session, run, state, now=now)
        return
    stream.idle_answers += 1
    if stream.idle_answers >= _IDLE_ANSWERS_THAT_PROVE_A_RESTART:
        reason = "the agent restarted and lost the computation"
        end_run(session, run, Signal.AGENT_RESTARTED, now=now, reason=reason)


def _follow(session: Session, run: Run, state: AgentState, *, now: datetime) -> None:
    """Draw the conclusions for a run from its agent's state.

    A manifest is only ever sent to an agent that awaits one, so whatever else the agent does after that, it
    does for this run.
    """
    if run.status != ComputationStatus.RUNNING or run.sent_at is None or state in _AWAITS_MANIFEST:
        return
    run.accepted_at = run.accepted_at or now
    if state in _RESULTS_ARE_READY:
        end_run(session, run, Signal.RESULTS_READY, now=now)
    elif state is AgentState.FAILED:
        end_run(session, run, Signal.AGENT_FAILED, now=now)


def _run_result(session: Session, stream: Stream, result: Any, now: datetime) -> None:
    run = runs.active_of_cvm(session, stream.cvm_id)
    if run is None or run.computation_id != result.computation_id:
        return
    if result.error:
        reason = f"the agent refused the computation: {_clean(result.error)}"
        end_run(session, run, Signal.MANIFEST_REFUSED, now=now, reason=reason)
    else:
        run.accepted_at = run.accepted_at or now


def _stopped(session: Session, stream: Stream, result: Any, _now: datetime) -> None:
    if result.message:
        _log.warning("agent could not stop cleanly", cvm=stream.cvm_id, error=result.message)
    cvms.lock(session, stream.cvm_id).must_reset = False
    stream.state, stream.stop_sent_at = None, None


def _report(session: Session, stream: Stream, report: Any, _now: datetime) -> None:
    if 0 < len(report.file) <= _LARGEST_REPORT_BYTES:
        cvms.lock(session, stream.cvm_id).report = report.file


def _token(session: Session, stream: Stream, token: Any, _now: datetime) -> None:
    if 0 < len(token.file) <= _LARGEST_REPORT_BYTES:
        cvms.lock(session, stream.cvm_id).token = token.file


_RECORDERS: Final[dict[str, Callable[[Session, Stream, Any, datetime], None]]] = {
    "agent_log": _log_line,
    "agent_event": _event,
    "run_res": _run_result,
    "stopComputationRes": _stopped,
    "agentStateRes": _state,
    "vTPMattestationReport": _report,
    "azureAttestationToken": _token,
}


def _run_at(session: Session, stream: Stream, computation_id: str, at: datetime) -> Run | None:
    """The run that a message is about; agents name the computation at most, and logs often nothing."""
    return runs.on_cvm_at(session, stream.cvm_id, computation_id=computation_id or None, at=at)


def _moment(stamp: Any, now: datetime) -> datetime:
    """A message's time; the present where it has none, or one that no calendar knows."""
    if not stamp.seconds:
        return now
    try:
        moment: datetime = stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        return now
    return moment


def _error_in(details: bytes) -> str:
    """The error that an event's details tell of; empty where there is none."""
    error = details_of(details).get("error", "")
    return _clean(error)[:_LONGEST_LINE] if isinstance(error, str) else ""


def _word(text: str) -> str:
    return _clean(text)[:_LONGEST_WORD]


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd")  # PostgreSQL keeps no NUL in a text
