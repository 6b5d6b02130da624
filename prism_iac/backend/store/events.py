"""What agents tell about runs: events and logs."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Select, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, ComputationId, insert
from prism_iac.backend.store.paging import Page, Slice, contains, page_of
from prism_iac.backend.store.runs import Run

__all__ = [
    "Event",
    "Log",
    "TimeFilter",
    "add_event",
    "add_log",
    "latest_event",
    "page_of_events",
    "page_of_logs",
]

_Sequence = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up INTEGER keys only


class Event(Base):
    """One step of a run.

    Attributes:
        sequence: The order of arrival.
        id: Follows from the event's content, so that an event that is delivered twice is kept once.
    """

    __tablename__ = "events"
    __table_args__ = (Index(None, "computation_id", "timestamp", "sequence"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    computation_id: Mapped[ComputationId]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    cvm_id: Mapped[str]
    event_type: Mapped[str]
    status: Mapped[str]
    originator: Mapped[str]
    details: Mapped[bytes]
    timestamp: Mapped[datetime]


class Log(Base):
    """A line, or a piece of one, that an agent logged; `level` is lower case."""

    __tablename__ = "logs"
    __table_args__ = (Index(None, "computation_id", "timestamp", "sequence"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    computation_id: Mapped[ComputationId]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    level: Mapped[str]
    message: Mapped[str]
    timestamp: Mapped[datetime]


Told = TypeVar("Told", Event, Log)


class TimeFilter(NamedTuple):
    """What a list of events or logs is narrowed by; None narrows nothing (D56)."""

    run_id: str | None = None
    begin: datetime | None = None
    end: datetime | None = None


def add_event(
    session: Session,
    run: Run,
    *,
    event_id: str,
    event_type: str,
    status: str,
    originator: str,
    details: bytes,
    timestamp: datetime,
) -> bool:
    """Record an event; False when it is known."""
    if session.scalar(select(Event.sequence).where(Event.id == event_id)) is not None:
        return False
    insert(
        session,
        Event(
            id=event_id,
            computation_id=run.computation_id,
            run_id=run.id,
            cvm_id=run.cvm_id,
            event_type=event_type,
            status=status,
            originator=originator,
            details=details,
            timestamp=timestamp,
        ),
    )
    return True


def add_log(session: Session, run: Run, *, level: str, message: str, timestamp: datetime) -> None:
    """Record a log line."""
    insert(
        session,
        Log(
            computation_id=run.computation_id,
            run_id=run.id,
            level=level,
            message=message,
            timestamp=timestamp,
        ),
    )


def latest_event(session: Session, computation_id: str) -> Event | None:
    """The computation's latest event."""
    query = select(Event).where(Event.computation_id == computation_id)
    return session.scalar(query.order_by(Event.timestamp.desc(), Event.sequence.desc()).limit(1))


def page_of_events(
    session: Session, computation_id: str, wanted: Slice, by: TimeFilter, *, status: str | None = None
) -> Page[Event]:
    """One page of a computation's events, newest first."""
    query = select(Event).where(Event.computation_id == computation_id)
    if status is not None:
        query = query.where(Event.status == status)
    query = _within(query, Event, by)
    return page_of(session, query, wanted, order=(Event.timestamp.desc(), Event.sequence.desc()))


def page_of_logs(
    session: Session,
    computation_id: str,
    wanted: Slice,
    by: TimeFilter,
    *,
    level: str | None = None,
    message: str | None = None,
) -> Page[Log]:
    """One page of a computation's logs, newest first.

    Args:
        session: An open session.
        computation_id: Whose logs.
        wanted: Which part.
        by: The times and the run.
        level: Lower case.
        message: A part of the message.
    """
    query = select(Log).where(Log.computation_id == computation_id)
    if level is not None:
        query = query.where(Log.level == level)
    if message is not None:
        query = query.where(contains(Log.message, message))
    query = _within(query, Log, by)
    return page_of(session, query, wanted, order=(Log.timestamp.desc(), Log.sequence.desc()))


def _within(query: Select[Told], table: type[Told], by: TimeFilter) -> Select[Told]:
    if by.run_id is not None:
        query = query.where(table.run_id == by.run_id)
    if by.begin is not None:
        query = query.where(table.timestamp >= by.begin)
    if by.end is not None:
        query = query.where(table.timestamp <= by.end)
    return query
