"""Certificates of CVMs, and the short-lived tokens that downloads take."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Index, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, WorkspaceId, insert
from prism_iac.backend.store.paging import Page, Slice, page_of

__all__ = [
    "Certificate",
    "DownloadToken",
    "add",
    "add_token",
    "delete_of",
    "find",
    "find_anywhere",
    "named",
    "of_entity",
    "page",
    "take_token",
]


class Certificate(Base):
    """A certificate with its private key.

    Attributes:
        serial: Decimal, as long as 39 digits.
        entity_id: The CVM that it was issued to.
        expiry_time: When it ends; the moment of the revocation once it is revoked.
    """

    __tablename__ = "certificates"
    __table_args__ = (Index(None, "workspace_id", "issued_at"), Index(None, "entity_id", "issued_at"))

    serial: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[WorkspaceId]
    entity_id: Mapped[str]
    entity_type: Mapped[str]
    certificate_pem: Mapped[str]
    key_pem: Mapped[str]
    issued_at: Mapped[datetime]
    expiry_time: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class DownloadToken(Base):
    """A token that is good for one download.

    Attributes:
        digest: SHA-256 of the token; the token itself is not kept.
        subject: What may be downloaded.
    """

    __tablename__ = "download_tokens"

    digest: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)


def add(session: Session, certificate: Certificate) -> None:
    """Record a certificate."""
    insert(session, certificate)


def find(session: Session, workspace_id: str, serial: str) -> Certificate | None:
    """The workspace's certificate with this serial number."""
    return session.scalar(
        select(Certificate).where(Certificate.serial == serial, Certificate.workspace_id == workspace_id)
    )


def find_anywhere(session: Session, serial: str) -> Certificate | None:
    """The certificate with this serial number in whatever workspace."""
    return session.get(Certificate, serial)


def named(session: Session, workspace_id: str, serial_or_entity: str) -> list[Certificate]:
    """The certificate with this serial number, or those of the entity that are not revoked, newest first."""
    query = select(Certificate).where(
        Certificate.workspace_id == workspace_id,
        (Certificate.serial == serial_or_entity)
        | ((Certificate.entity_id == serial_or_entity) & Certificate.revoked_at.is_(None)),
    )
    return list(session.scalars(query.order_by(Certificate.issued_at.desc(), Certificate.serial)))


def of_entity(session: Session, entity_id: str) -> list[Certificate]:
    """Every certificate of an entity."""
    return list(session.scalars(select(Certificate).where(Certificate.entity_id == entity_id)))


def delete_of(session: Session, workspace_id: str, entity_id: str) -> None:
    """Forget every certificate of an entity."""
    session.execute(
        delete(Certificate).where(
            Certificate.entity_id == entity_id, Certificate.workspace_id == workspace_id
        )
    )


def page(
    session: Session, workspace_id: str, wanted: Slice, *, entity_id: str | None = None
) -> Page[Certificate]:
    """One page of a workspace's certificates, newest first."""
    query = select(Certificate).where(Certificate.workspace_id == workspace_id)
    if entity_id is not None:
        query = query.where(Certificate.entity_id == entity_id)
    return page_of(session, query, wanted, order=(Certificate.issued_at.desc(), Certificate.serial))


def add_token(session: Session, *, digest: str, subject: str, expires_at: datetime, now: datetime) -> None:
    """Record a token, and forget those that have ended."""
    session.execute(delete(DownloadToken).where(DownloadToken.expires_at <= now))
    insert(session, DownloadToken(digest=digest, subject=subject, expires_at=expires_at))


def take_token(session: Session, *, digest: str, subjects: Collection[str], now: datetime) -> str | None:
    """Use a token up, and tell which of the subjects it is for; None when it is unknown, over or for another."""
    query = delete(DownloadToken).where(
        DownloadToken.digest == digest,
        DownloadToken.subject.in_(subjects),
        DownloadToken.expires_at > now,
    )
    return session.scalar(query.returning(DownloadToken.subject))
