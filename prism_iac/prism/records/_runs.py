"""Runs, their events and logs (prism-rest.md sections 3.3 and 3.7, D19, D55)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from prism_iac.model import ComputationStatus, LogLevel
from prism_iac.prism._fields import Fields
from prism_iac.prism.records._words import LEVEL_WORDS, STATUS_WORDS, parse_address

__all__ = [
    "EventRecord",
    "LogRecord",
    "RunRecord",
]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a computation (D19).

    Attributes:
        number: Counted from 1 within the computation.
        agent_address: Where participants reach the agent, `host:port`.
    """

    id: str
    computation_id: str
    cvm_id: str
    number: int | None
    status: ComputationStatus | None
    agent_address: str | None
    start_time: datetime | None
    end_time: datetime | None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a run."""
        fields = Fields(document, "a run")
        return cls(
            id=fields.identity("id", "run_id"),
            computation_id=fields.text("computation_id"),
            cvm_id=fields.text("cvm_id"),
            number=fields.whole("number"),
            status=fields.choice(ComputationStatus, "status", aliases=STATUS_WORDS),
            agent_address=parse_address(fields.text("agent_url")),
            start_time=fields.time("start_time"),
            end_time=fields.time("end_time"),
        )


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One step of a run (section 3.7); `event_type` and `status` are free text (D55)."""

    id: str
    event_type: str
    status: str
    details: bytes
    run_id: str
    cvm_id: str
    originator: str
    timestamp: datetime | None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read an event."""
        fields = Fields(document, "an event")
        return cls(
            id=fields.identity("id"),
            event_type=fields.text("event_type"),
            status=fields.text("status"),
            details=fields.binary("details"),
            run_id=fields.text("run_id"),
            cvm_id=fields.text("cvm_id"),
            originator=fields.text("originator"),
            timestamp=fields.time("timestamp"),
        )


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line, or a piece of one, that an agent logged (section 3.7)."""

    run_id: str
    level: LogLevel | None
    message: str
    timestamp: datetime | None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a log entry."""
        fields = Fields(document, "a log entry")
        return cls(
            run_id=fields.text("run_id"),
            level=fields.choice(LogLevel, "level", aliases=LEVEL_WORDS),
            message=fields.text("message"),
            timestamp=fields.time("timestamp"),
        )
