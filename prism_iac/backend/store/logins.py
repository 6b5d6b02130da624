"""Failed logins of the last minutes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from prism_iac.backend.store.base import Base

__all__ = ["LoginFailure", "attempts_of", "begin", "fail", "forget_until", "succeed"]

_Sequence = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up INTEGER keys only


class LoginFailure(Base):
    """A login that failed, or has not ended yet.

    Attributes:
        account: A digest: people type passwords where their names belong.
        under_way: Whether it has not ended; for good where the process was killed meanwhile.
    """

    __tablename__ = "login_failures"
    __table_args__ = (Index(None, "account", "at"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    account: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    under_way: Mapped[bool]


def attempts_of(session: Session, account: str, *, since: datetime) -> list[LoginFailure]:
    """Logins to an account after a moment that failed or have not ended, oldest first."""
    query = select(LoginFailure).where(LoginFailure.account == account, LoginFailure.at > since)
    return list(session.scalars(query.order_by(LoginFailure.at)))


def begin(session: Session, account: str, *, at: datetime) -> int:
    """Record one that is under way; gives its number."""
    attempt = LoginFailure(account=account, at=at, under_way=True)
    session.add(attempt)
    session.flush()
    return attempt.sequence


def fail(session: Session, number: int) -> None:
    """Record that one has failed."""
    session.execute(update(LoginFailure).where(LoginFailure.sequence == number).values(under_way=False))


def succeed(session: Session, account: str, number: int) -> None:
    """Drop one, and the failures of its account with it; what else is under way stays."""
    has_ended = or_(LoginFailure.sequence == number, LoginFailure.under_way.is_(False))
    session.execute(delete(LoginFailure).where(LoginFailure.account == account, has_ended))


def forget_until(session: Session, moment: datetime) -> None:
    """Drop the failures at a moment or before, but for those that another transaction is dropping."""
    over = select(LoginFailure.sequence).where(LoginFailure.at <= moment).with_for_update(skip_locked=True)
    session.execute(delete(LoginFailure).where(LoginFailure.sequence.in_(session.scalars(over).all())))
