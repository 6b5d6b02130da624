"""Computations: the table and its queries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, UserId, WorkspaceId, insert, new_id
from prism_iac.backend.store.paging import Page, Slice, page_of
from prism_iac.model import ComputationStatus

__all__ = ["AgentConfigColumns", "Computation", "add", "find", "is_name_taken", "lock", "page", "remove"]


class AgentConfigColumns:
    """How the agent logs and is secured; every text is PEM or a path, empty when not set (D27)."""

    log_level: Mapped[str] = mapped_column(default="")
    cert_file: Mapped[str] = mapped_column(default="")
    server_key: Mapped[str] = mapped_column(default="")
    server_ca_file: Mapped[str] = mapped_column(default="")
    client_ca_file: Mapped[str] = mapped_column(default="")
    attested_tls: Mapped[bool] = mapped_column(default=False)


class Computation(AgentConfigColumns, Base):
    """A computation.

    Attributes:
        status: A `ComputationStatus`; follows the latest run, as do both times.
        runs: How many runs there have been.
    """

    __tablename__ = "computations"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index(None, "workspace_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[WorkspaceId]
    name: Mapped[str]
    description: Mapped[str]
    owner: Mapped[UserId]
    status: Mapped[str] = mapped_column(default=ComputationStatus.EXECUTABLE)
    runs: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    start_time: Mapped[datetime | None]
    end_time: Mapped[datetime | None]


def add(
    session: Session,
    *,
    workspace_id: str,
    name: str,
    description: str,
    owner: str,
    agent_config: dict[str, Any],
    now: datetime,
    wanted_id: str | None = None,
) -> Computation:
    """Record a computation; its id is a random one where the wanted one is taken, or none is wanted.

    Raises:
        Duplicate: The name is taken in the workspace.
    """
    is_free = wanted_id is not None and session.get(Computation, wanted_id) is None
    computation = Computation(
        id=wanted_id if is_free else new_id(),
        workspace_id=workspace_id,
        name=name,
        description=description,
        owner=owner,
        created_at=now,
        **agent_config,
    )
    insert(session, computation)
    return computation


def find(session: Session, workspace_id: str, computation_id: str) -> Computation | None:
    """The workspace's computation with this id."""
    return session.scalar(
        select(Computation).where(Computation.id == computation_id, Computation.workspace_id == workspace_id)
    )


def lock(session: Session, computation: Computation) -> Computation:
    """The computation as it is now, held against other writers until the transaction ends."""
    query = select(Computation).where(Computation.id == computation.id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one()


def page(session: Session, workspace_id: str, wanted: Slice) -> Page[Computation]:
    """One page of a workspace's computations, newest first."""
    query = select(Computation).where(Computation.workspace_id == workspace_id)
    return page_of(session, query, wanted, order=(Computation.created_at.desc(), Computation.id.desc()))


def is_name_taken(session: Session, computation: Computation, name: str) -> bool:
    """Whether another computation of the workspace has this name."""
    query = select(Computation.id).where(
        Computation.workspace_id == computation.workspace_id,
        Computation.name == name,
        Computation.id != computation.id,
    )
    return session.scalar(query) is not None


def remove(session: Session, computation: Computation) -> None:
    """Forget a computation with its runs, events, logs, keys, roles and links (D17)."""
    session.delete(computation)
    session.flush()
