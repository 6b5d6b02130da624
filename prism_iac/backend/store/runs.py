"""Runs of computations on CVMs: the table and its queries.

Two partial unique indexes hold what no race may break: a CVM takes one computation at a time, and a
computation runs once at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, ComputationId, WorkspaceId, insert, new_id
from prism_iac.backend.store.computations import Computation
from prism_iac.backend.store.cvms import Cvm
from prism_iac.backend.store.paging import Page, Slice, page_of
from prism_iac.model import ComputationStatus

__all__ = [
    "DayCount",
    "Run",
    "active_of_computation",
    "active_of_cvm",
    "active_on_removed_cvms",
    "add",
    "busy_cvms",
    "computation_of",
    "counts_by_day",
    "find",
    "ids_of",
    "latest_ended_on_cvm",
    "latest_of_computation",
    "latest_on_cvm",
    "manifest_of",
    "on_cvm_at",
    "page",
    "request_of",
    "some_active",
]

_IS_ACTIVE = text(f"status = '{ComputationStatus.RUNNING}'")


class Run(Base):
    """One run of a computation.

    Attributes:
        number: Counted from 1 within the computation.
        manifest: The manifest as canonical JSON.
        request: The message for the agent; it carries the agent's key and is dropped when the run ends.
        sent_at: When the manifest was last given to a stream.
        accepted_at: When the agent was first known to work on it.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("uq_runs_active_computation", "computation_id", unique=True, sqlite_where=_IS_ACTIVE, postgresql_where=_IS_ACTIVE),
        Index("uq_runs_active_cvm", "cvm_id", unique=True, sqlite_where=_IS_ACTIVE, postgresql_where=_IS_ACTIVE),
        Index(None, "computation_id", "number", unique=True),
        Index(None, "workspace_id", "start_time", "id"),
        Index(None, "cvm_id", "start_time"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[WorkspaceId]
    computation_id: Mapped[ComputationId]
    cvm_id: Mapped[str] = mapped_column(ForeignKey("cvms.id"))
    number: Mapped[int]
    status: Mapped[str] = mapped_column(default=ComputationStatus.RUNNING)
    agent_url: Mapped[str]
    manifest: Mapped[str] = mapped_column(deferred=True)
    request: Mapped[bytes | None] = mapped_column(deferred=True)
    start_time: Mapped[datetime]
    end_time: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]


class DayCount(NamedTuple):
    """How many runs of one status began on one day."""

    day: str
    status: str
    runs: int


def add(
    session: Session, computation: Computation, cvm: Cvm, *, manifest: str, request: bytes, now: datetime
) -> Run:
    """Record a run that begins now; the computation follows it.

    Raises:
        Duplicate: The computation or the CVM is at work.
    """
    computation.runs += 1
    computation.status = ComputationStatus.RUNNING
    computation.start_time, computation.end_time = now, None
    run = Run(
        id=new_id(),
        workspace_id=computation.workspace_id,
        computation_id=computation.id,
        cvm_id=cvm.id,
        number=computation.runs,
        agent_url=cvm.agent_url,
        manifest=manifest,
        request=request,
        start_time=now,
    )
    insert(session, run)
    return run


def active_of_computation(session: Session, computation_id: str) -> Run | None:
    """The computation's run that goes on."""
    return session.scalar(
        select(Run).where(Run.computation_id == computation_id, Run.status == ComputationStatus.RUNNING)
    )


def active_of_cvm(session: Session, cvm_id: str) -> Run | None:
    """The run that the CVM is at work on, held against other writers in a writing transaction."""
    query = select(Run).where(Run.cvm_id == cvm_id, Run.status == ComputationStatus.RUNNING)
    return session.scalar(query.with_for_update())


def some_active(session: Session, computation_ids: Collection[str]) -> bool:
    """Whether one of some computations runs."""
    query = select(Run.id).where(
        Run.computation_id.in_(computation_ids), Run.status == ComputationStatus.RUNNING
    )
    return session.scalar(query.limit(1)) is not None


def active_on_removed_cvms(session: Session) -> list[Run]:
    """The runs that go on although their CVM is gone."""
    query = (
        select(Run)
        .join(Cvm, Cvm.id == Run.cvm_id)
        .where(Run.status == ComputationStatus.RUNNING, Cvm.deleted_at.is_not(None))
    )
    return list(session.scalars(query))


def latest_of_computation(session: Session, computation_id: str) -> Run | None:
    """The computation's latest run."""
    query = select(Run).where(Run.computation_id == computation_id)
    return session.scalar(query.order_by(Run.number.desc()).limit(1))


def latest_on_cvm(session: Session, cvm_id: str) -> Run | None:
    """The CVM's latest run."""
    query = select(Run).where(Run.cvm_id == cvm_id)
    return session.scalar(query.order_by(Run.start_time.desc(), Run.id).limit(1))


def latest_ended_on_cvm(session: Session, cvm_id: str) -> Run | None:
    """The latest of the CVM's runs that have ended: what its agent may still hold."""
    query = select(Run).where(Run.cvm_id == cvm_id, Run.status != ComputationStatus.RUNNING)
    return session.scalar(query.order_by(Run.start_time.desc(), Run.id).limit(1))


def on_cvm_at(session: Session, cvm_id: str, *, computation_id: str | None, at: datetime) -> Run | None:
    """The run that a CVM was at work on at a moment, of one computation where it is given.

    An agent's clock may be slow: a moment before the first run belongs to the latest.
    """
    query = select(Run).where(Run.cvm_id == cvm_id)
    if computation_id is not None:
        query = query.where(Run.computation_id == computation_id)
    begun_first = (Run.start_time <= at).desc()
    return session.scalar(query.order_by(begun_first, Run.start_time.desc(), Run.id).limit(1))


def busy_cvms(session: Session, workspace_id: str) -> set[str]:
    """The ids of a workspace's CVMs that are at work."""
    query = select(Run.cvm_id).where(
        Run.workspace_id == workspace_id, Run.status == ComputationStatus.RUNNING
    )
    return set(session.scalars(query))


def computation_of(session: Session, run: Run) -> Computation:
    """The computation that a run belongs to."""
    return session.scalars(select(Computation).where(Computation.id == run.computation_id)).one()


def find(session: Session, run_id: str) -> Run | None:
    """The run with this id."""
    return session.get(Run, run_id)


def ids_of(session: Session, computation_id: str) -> list[str]:
    """The ids of a computation's runs."""
    return list(session.scalars(select(Run.id).where(Run.computation_id == computation_id)))


def request_of(session: Session, run: Run) -> bytes | None:
    """The message for the agent; None once the run has ended."""
    return session.scalars(select(Run.request).where(Run.id == run.id)).one()


def manifest_of(session: Session, run: Run) -> str:
    """The manifest that a run was started with, canonical JSON."""
    return session.scalars(select(Run.manifest).where(Run.id == run.id)).one()


def page(
    session: Session,
    workspace_id: str,
    wanted: Slice,
    *,
    computation_id: str | None = None,
    status: str | None = None,
) -> Page[Run]:
    """One page of a workspace's runs, newest first."""
    query = select(Run).where(Run.workspace_id == workspace_id)
    if computation_id is not None:
        query = query.where(Run.computation_id == computation_id)
    if status is not None:
        query = query.where(Run.status == status)
    return page_of(session, query, wanted, order=(Run.start_time.desc(), Run.id.desc()))


def counts_by_day(session: Session, workspace_id: str, *, since: datetime) -> list[DayCount]:
    """How many runs began on each day (`YYYY-MM-DD`, UTC), by status; oldest day first."""
    day = func.date(Run.start_time)
    query = (
        select(day, Run.status, func.count())
        .where(Run.workspace_id == workspace_id, Run.start_time >= since)
        .group_by(day, Run.status)
        .order_by(day, Run.status)
    )
    return [DayCount(str(found_day), status, runs) for found_day, status, runs in session.execute(query)]
