"""How runs end, and when a CVM takes one.

The machine: a run is `running` until the first of these signals; from then on nothing changes it.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import Enum, auto
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from prism_iac.backend.store import cvms, events, runs
from prism_iac.backend.store.cvms import Cvm
from prism_iac.backend.store.runs import Run
from prism_iac.model import AgentState, ComputationStatus, LogLevel, VmStatus

__all__ = ["Signal", "end_run", "event_id", "status_after", "why_not_ready"]


class Signal(Enum):
    """What ends a run."""

    RESULTS_READY = auto()
    AGENT_FAILED = auto()
    MANIFEST_REFUSED = auto()
    AGENT_RESTARTED = auto()
    CVM_REMOVED = auto()
    STOPPED = auto()


_END: Final[dict[Signal, ComputationStatus]] = {
    Signal.RESULTS_READY: ComputationStatus.COMPLETED,
    Signal.AGENT_FAILED: ComputationStatus.FAILED,
    Signal.MANIFEST_REFUSED: ComputationStatus.FAILED,
    Signal.AGENT_RESTARTED: ComputationStatus.FAILED,
    Signal.CVM_REMOVED: ComputationStatus.FAILED,
    Signal.STOPPED: ComputationStatus.CANCELLED,
}

_LEAVES_AGENT_BUSY: Final = frozenset({Signal.MANIFEST_REFUSED, Signal.STOPPED})
"""The signals after which the agent must be told to drop the computation."""

_EVENTS: Final = UUID("6f0f5c5e-5b0e-4a5c-9f43-1f0c7b7f3a51")
"""The name space of event ids (RFC 9562 §5.5)."""


def status_after(status: ComputationStatus, signal: Signal) -> ComputationStatus:
    """The status that a signal leads to; a run that has ended keeps its own."""
    return status if status.is_final else _END[signal]


def end_run(session: Session, run: Run, signal: Signal, *, now: datetime, reason: str = "") -> bool:
    """End a run; its computation follows. False when it had ended.

    Args:
        session: A writing transaction.
        run: The run.
        signal: What ends it.
        now: The time.
        reason: Why it failed, where the agent does not tell; goes into the events and the logs.
    """
    status = status_after(ComputationStatus(run.status), signal)
    if status == run.status:
        return False
    run.status, run.end_time, run.request = status, now, None
    computation = runs.computation_of(session, run)
    computation.status, computation.end_time = status, now
    if signal in _LEAVES_AGENT_BUSY and run.sent_at is not None:
        cvms.lock(session, run.cvm_id).must_reset = True
    if reason:
        _tell_failure(session, run, reason, now=now)
    session.flush()
    return True


def _tell_failure(session: Session, run: Run, reason: str, *, now: datetime) -> None:
    events.add_log(session, run, level=LogLevel.ERROR, message=reason, timestamp=now)
    events.add_event(
        session,
        run,
        event_id=event_id(run.id, AgentState.FAILED, "Failed", now.isoformat(), "system"),
        event_type=AgentState.FAILED,
        status="Failed",
        originator="system",
        details=json.dumps({"error": reason}).encode(),
        timestamp=now,
    )


def event_id(run_id: str, event_type: str, status: str, timestamp: str, originator: str) -> str:
    """The id of an event, the same however often it is delivered."""
    return str(uuid5(_EVENTS, json.dumps([run_id, event_type, status, timestamp, originator])))


_TAKES_A_RUN: Final = frozenset({AgentState.RECEIVING_MANIFEST, AgentState.COMPLETE, AgentState.FAILED})
"""The phases in which an agent takes a computation; from the last two it is reset first."""


def why_not_ready(cvm: Cvm, *, is_busy: bool) -> str:
    """Why a CVM takes no computation now, as a sentence; empty when it is ready (D36)."""
    if cvm.deleted_at is not None:
        return "it was removed"
    if cvm.status != VmStatus.ONLINE:
        return f"it is {cvm.status}, not online"
    if is_busy:
        return "it is at work on another computation, and takes one at a time"
    if cvm.state == AgentState.CONSUMING_RESULTS:
        return "it holds results that nobody has fetched; fetch them first"
    if cvm.state not in _TAKES_A_RUN:
        return f"its agent is in the state {cvm.state or 'unknown'}"
    return ""
