"""Assets and their links to computations."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Dialect, ForeignKey, Index, String, TypeDecorator, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, ComputationId, UserId, WorkspaceId, insert, new_id
from prism_iac.backend.store.computations import Computation
from prism_iac.backend.store.paging import Page, Slice, page_of
from prism_iac.model import RemoteSource

__all__ = [
    "Asset",
    "AssetLink",
    "NewAsset",
    "add",
    "computations_of",
    "find",
    "link",
    "linked_to",
    "owned_by",
    "page",
    "page_of_computations",
    "remove",
    "sample_of",
    "unlink",
]


class SourceText(TypeDecorator[RemoteSource]):
    """A source as JSON text; empty for none."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: RemoteSource | None, dialect: Dialect) -> str:  # noqa: ARG002  # the hook's signature
        """The source as it is stored."""
        return "" if value is None else json.dumps(value.to_json(), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> RemoteSource | None:  # noqa: ARG002  # the hook's signature
        """The source as the program sees it."""
        return RemoteSource.model_validate_json(value) if value else None


class Asset(Base):
    """An algorithm or a dataset, known by its digest.

    Attributes:
        asset_type: An `AssetKind`.
        checksum: SHA3-256, 64 lower-case hexadecimal characters.
        sample: A sample to show; read only where it is asked for.
        source: Where agents fetch it; None where they wait for an upload.
    """

    __tablename__ = "assets"
    __table_args__ = (Index(None, "workspace_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[WorkspaceId]
    user_id: Mapped[UserId]
    file_name: Mapped[str]
    description: Mapped[str]
    asset_type: Mapped[str]
    mime_type: Mapped[str]
    checksum: Mapped[str]
    user_key: Mapped[str]
    sample: Mapped[bytes] = mapped_column(default=b"", deferred=True, deferred_raiseload=True)
    source: Mapped[RemoteSource | None] = mapped_column(SourceText, default=None, nullable=False)
    created_at: Mapped[datetime]


class AssetLink(Base):
    """An asset's part in a computation; it goes with the computation, and keeps the asset."""

    __tablename__ = "asset_links"

    computation_id: Mapped[ComputationId] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]


class NewAsset(NamedTuple):
    """What a new asset consists of."""

    description: str
    asset_type: str
    checksum: str
    file_name: str = ""
    mime_type: str = ""
    user_key: str = ""
    sample: bytes = b""
    source: RemoteSource | None = None


def add(session: Session, new: NewAsset, *, workspace_id: str, user_id: str, now: datetime) -> Asset:
    """Record an asset."""
    asset = Asset(id=new_id(), workspace_id=workspace_id, user_id=user_id, created_at=now, **new._asdict())
    insert(session, asset)
    return asset


def find(session: Session, workspace_id: str, asset_id: str) -> Asset | None:
    """The workspace's asset with this id."""
    return session.scalar(select(Asset).where(Asset.id == asset_id, Asset.workspace_id == workspace_id))


def sample_of(session: Session, asset: Asset) -> bytes:
    """An asset's sample; empty where there is none."""
    return session.scalar(select(Asset.sample).where(Asset.id == asset.id)) or b""


def page(session: Session, workspace_id: str, wanted: Slice) -> Page[Asset]:
    """One page of a workspace's assets, newest first."""
    query = select(Asset).where(Asset.workspace_id == workspace_id)
    return page_of(session, query, wanted, order=(Asset.created_at.desc(), Asset.id.desc()))


def owned_by(session: Session, workspace_id: str, user_ids: Collection[str]) -> list[Asset]:
    """The assets in a workspace that some users made, oldest first."""
    query = select(Asset).where(Asset.workspace_id == workspace_id, Asset.user_id.in_(user_ids))
    return list(session.scalars(query.order_by(Asset.created_at, Asset.id)))


def linked_to(session: Session, computation_ids: Collection[str]) -> dict[str, list[Asset]]:
    """The assets of some computations, in the order of linking, by computation."""
    found: dict[str, list[Asset]] = {computation_id: [] for computation_id in computation_ids}
    query = (
        select(AssetLink.computation_id, Asset)
        .join(Asset, Asset.id == AssetLink.asset_id)
        .where(AssetLink.computation_id.in_(computation_ids))
        .order_by(AssetLink.created_at, Asset.id)
    )
    for computation_id, asset in session.execute(query):
        found[computation_id].append(asset)
    return found


def computations_of(session: Session, asset_ids: Collection[str]) -> dict[str, list[str]]:
    """The ids of the computations that some assets are linked to, in the order of linking, by asset."""
    found: dict[str, list[str]] = {asset_id: [] for asset_id in asset_ids}
    query = (
        select(AssetLink)
        .where(AssetLink.asset_id.in_(asset_ids))
        .order_by(AssetLink.created_at, AssetLink.computation_id)
    )
    for found_link in session.scalars(query):
        found[found_link.asset_id].append(found_link.computation_id)
    return found


def page_of_computations(session: Session, asset: Asset, wanted: Slice) -> Page[Computation]:
    """One page of the computations that an asset is linked to, newest first."""
    query = (
        select(Computation)
        .join(AssetLink, AssetLink.computation_id == Computation.id)
        .where(AssetLink.asset_id == asset.id)
    )
    return page_of(session, query, wanted, order=(Computation.created_at.desc(), Computation.id.desc()))


def link(session: Session, asset: Asset, computation: Computation, *, now: datetime) -> None:
    """Link an asset to a computation.

    Raises:
        Duplicate: It is linked.
    """
    insert(session, AssetLink(asset_id=asset.id, computation_id=computation.id, created_at=now))


def unlink(session: Session, asset: Asset, computation: Computation) -> bool:
    """Undo a link; False when there was none."""
    found = session.get(AssetLink, (computation.id, asset.id))
    if found is None:
        return False
    session.delete(found)
    session.flush()
    return True


def remove(session: Session, asset: Asset) -> None:
    """Forget an asset that is not linked."""
    session.delete(asset)
    session.flush()
