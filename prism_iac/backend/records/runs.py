"""Runs, events and logs (prism-rest.md sections 3.3 and 3.7, D19)."""

from __future__ import annotations

import base64

from prism_iac.backend.records.fields import Record, Time
from prism_iac.backend.store.events import Event, Log
from prism_iac.backend.store.runs import Run

__all__ = [
    "EventPage",
    "EventRecord",
    "LogPage",
    "LogRecord",
    "RunPage",
    "RunRecord",
    "event_record",
    "log_record",
    "run_record",
]


class RunRecord(Record):
    """One run of a computation."""

    id: str
    computation_id: str
    cvm_id: str
    number: int
    status: str
    agent_url: str
    start_time: Time
    end_time: Time


class RunPage(Record):
    """Some runs."""

    runs: list[RunRecord]
    total: int
    limit: int
    offset: int


class EventRecord(Record):
    """One step of a run; `details` is base64."""

    id: str
    event_type: str
    details: str
    run_id: str
    timestamp: Time
    originator: str
    cvm_id: str
    status: str


class EventPage(Record):
    """Some events."""

    events: list[EventRecord]
    total: int
    limit: int
    offset: int


class LogRecord(Record):
    """A line, or a piece of one, that an agent logged."""

    run_id: str
    level: str
    message: str
    timestamp: Time


class LogPage(Record):
    """Some log lines."""

    logs: list[LogRecord]
    total: int
    limit: int
    offset: int


def run_record(run: Run) -> RunRecord:
    """The record of a run."""
    return RunRecord(
        id=run.id,
        computation_id=run.computation_id,
        cvm_id=run.cvm_id,
        number=run.number,
        status=run.status,
        agent_url=run.agent_url,
        start_time=run.start_time,
        end_time=run.end_time,
    )


def event_record(event: Event) -> EventRecord:
    """The record of an event."""
    return EventRecord(
        id=event.id,
        event_type=event.event_type,
        details=base64.b64encode(event.details).decode(),
        run_id=event.run_id,
        timestamp=event.timestamp,
        originator=event.originator,
        cvm_id=event.cvm_id,
        status=event.status,
    )


def log_record(log: Log) -> LogRecord:
    """The record of a log line."""
    return LogRecord(run_id=log.run_id, level=log.level, message=log.message, timestamp=log.timestamp)
