"""Confidential VMs and when they were up: the tables and their queries."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, Select, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, WorkspaceId, insert, new_id
from prism_iac.backend.store.paging import Page, Slice, contains, page_of
from prism_iac.model import VmStatus

__all__ = [
    "Cvm",
    "CvmFilter",
    "CvmPresence",
    "NewCvm",
    "Presence",
    "add",
    "beats",
    "changes_of",
    "count_up",
    "evidence_of",
    "find",
    "find_anywhere",
    "lock",
    "page",
    "present",
    "record_change",
]


class Cvm(Base):
    """A confidential VM; a removed one stays, inactive (D37).

    Attributes:
        machine_id: What the agent says is the machine's id, where that is another (D38).
        status: A `VmStatus`.
        state: The agent's phase as last heard; empty before the first word.
        must_reset: The agent must be told to drop its computation before it gets another.
        beat: Counted up again and again while the agent is connected, by the replica that it is connected to.
        report: The attestation report as the agent sent it.
        token: A cloud's attestation token.
    """

    __tablename__ = "cvms"
    __table_args__ = (Index(None, "workspace_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[WorkspaceId]
    name: Mapped[str]
    provider: Mapped[str]
    vcpus: Mapped[int]
    cc_platform: Mapped[str]
    agent_log_level: Mapped[str]
    machine_id: Mapped[str] = mapped_column(default="", server_default="")
    agent_url: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default=VmStatus.CREATING)
    state: Mapped[str] = mapped_column(default="")
    must_reset: Mapped[bool] = mapped_column(default=False)
    beat: Mapped[int] = mapped_column(default=0, server_default="0")
    report: Mapped[bytes] = mapped_column(default=b"", deferred=True, deferred_raiseload=True)
    token: Mapped[bytes] = mapped_column(default=b"", deferred=True, deferred_raiseload=True)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class CvmPresence(Base):
    """One change of a CVM between up and down."""

    __tablename__ = "cvm_presence"
    __table_args__ = (Index(None, "cvm_id", "timestamp"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    cvm_id: Mapped[str] = mapped_column(ForeignKey("cvms.id"))
    timestamp: Mapped[datetime]
    is_up: Mapped[bool]


class NewCvm(NamedTuple):
    """What a new CVM consists of."""

    name: str
    provider: str
    vcpus: int
    cc_platform: str
    agent_log_level: str


class Presence(StrEnum):
    """Whether a list shows present CVMs or removed ones."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class CvmFilter(NamedTuple):
    """What a list of CVMs is narrowed by; None narrows nothing.

    Attributes:
        name: A part of the name.
        status: `Presence`, or one exact `VmStatus`.
        since: The moment from which on they were made.
    """

    name: str | None = None
    status: Presence | VmStatus = Presence.ACTIVE
    since: datetime | None = None
    cc_platform: str | None = None


def add(session: Session, new: NewCvm, *, workspace_id: str, now: datetime) -> Cvm:
    """Record a CVM that is being made."""
    cvm = Cvm(id=new_id(), workspace_id=workspace_id, created_at=now, **new._asdict())
    insert(session, cvm)
    return cvm


def find(session: Session, workspace_id: str, cvm_id: str) -> Cvm | None:
    """The workspace's CVM with this id, removed ones too."""
    return session.scalar(select(Cvm).where(Cvm.id == cvm_id, Cvm.workspace_id == workspace_id))


def find_anywhere(session: Session, cvm_id: str) -> Cvm | None:
    """The CVM with this id in whatever workspace, removed ones too."""
    return session.get(Cvm, cvm_id)


def lock(session: Session, cvm_id: str) -> Cvm:
    """The CVM as it is now, held against other writers until the transaction ends."""
    query = select(Cvm).where(Cvm.id == cvm_id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one()


def present(session: Session, workspace_id: str) -> list[Cvm]:
    """Every CVM of a workspace that was not removed."""
    return list(
        session.scalars(select(Cvm).where(Cvm.workspace_id == workspace_id, Cvm.deleted_at.is_(None)))
    )


def beats(session: Session) -> dict[str, int]:
    """The beats of the CVMs that are thought to be connected, by CVM."""
    found = session.execute(select(Cvm.id, Cvm.beat).where(Cvm.status == VmStatus.ONLINE))
    return {row.id: row.beat for row in found}


def count_up(session: Session, cvm_ids: Collection[str]) -> list[str]:
    """Count the beats of connected CVMs up; gives those among them that count as offline."""
    query = (
        update(Cvm)
        .where(Cvm.id.in_(cvm_ids), Cvm.deleted_at.is_(None))
        .values(beat=Cvm.beat + 1)
        .returning(Cvm.id, Cvm.status)
    )
    counted = session.execute(query, execution_options={"synchronize_session": False})
    return [cvm_id for cvm_id, status in counted if status == VmStatus.OFFLINE]


def page(session: Session, workspace_id: str, wanted: Slice, by: CvmFilter) -> Page[Cvm]:
    """One page of a workspace's CVMs, newest first."""
    query = _filtered(by).where(Cvm.workspace_id == workspace_id)
    return page_of(session, query, wanted, order=(Cvm.created_at.desc(), Cvm.id.desc()))


def evidence_of(session: Session, cvms: list[str]) -> dict[str, tuple[bytes, bytes]]:
    """The report and the token of some CVMs, by CVM."""
    query = select(Cvm.id, Cvm.report, Cvm.token).where(Cvm.id.in_(cvms))
    return {cvm_id: (report, token) for cvm_id, report, token in session.execute(query)}


def record_change(session: Session, cvm: Cvm, *, is_up: bool, now: datetime) -> None:
    """Record that a CVM came up or went down."""
    insert(session, CvmPresence(id=new_id(), cvm_id=cvm.id, timestamp=now, is_up=is_up))


def changes_of(session: Session, cvm: Cvm, *, since: datetime) -> list[CvmPresence]:
    """When a CVM came up or went down, newest first."""
    query = select(CvmPresence).where(CvmPresence.cvm_id == cvm.id, CvmPresence.timestamp >= since)
    return list(session.scalars(query.order_by(CvmPresence.timestamp.desc(), CvmPresence.id)))


def _filtered(by: CvmFilter) -> Select[Cvm]:
    query = select(Cvm)
    match by.status:
        case Presence.ACTIVE:
            query = query.where(Cvm.deleted_at.is_(None))
        case Presence.INACTIVE | VmStatus.INACTIVE:
            query = query.where(Cvm.deleted_at.is_not(None))
        case status:
            query = query.where(Cvm.status == status)
    if by.name is not None:
        query = query.where(contains(Cvm.name, by.name))
    if by.since is not None:
        query = query.where(Cvm.created_at >= by.since)
    if by.cc_platform is not None:
        query = query.where(Cvm.cc_platform == by.cc_platform)
    return query
