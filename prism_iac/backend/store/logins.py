"""Failed logins of the last minutes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base, insert

__all__ = ["LoginFailure", "add", "failures_of", "forget", "forget_until"]

_Sequence = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up INTEGER keys only


class LoginFailure(Base):
    """A login that failed, or has not succeeded yet.

    Attributes:
        account: A digest: people type passwords where their names belong.
    """

    __tablename__ = "login_failures"
    __table_args__ = (Index(None, "account", "at"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    account: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


def failures_of(session: Session, account: str, *, since: datetime) -> list[datetime]:
    """When logins to an account failed after a moment, oldest first."""
    query = select(LoginFailure.at).where(LoginFailure.account == account, LoginFailure.at > since)
    return list(session.scalars(query.order_by(LoginFailure.at)))


def add(session: Session, account: str, *, at: datetime) -> None:
    """Record a failure."""
    insert(session, LoginFailure(account=account, at=at))


def forget(session: Session, account: str) -> None:
    """Drop an account's failures."""
    session.execute(delete(LoginFailure).where(LoginFailure.account == account))


def forget_until(session: Session, moment: datetime) -> None:
    """Drop the failures at a moment or before, but for those that another transaction is dropping."""
    over = select(LoginFailure.sequence).where(LoginFailure.at <= moment).with_for_update(skip_locked=True)
    session.execute(delete(LoginFailure).where(LoginFailure.sequence.in_(session.scalars(over).all())))
