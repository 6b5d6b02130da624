"""Passwords, and the brake on guessing them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from prism_iac.backend._errors import TooManyAttempts

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from prism_iac.backend.store import Database

__all__ = ["LoginBrake", "MadePassword", "Passwords"]

_PASSWORD_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class MadePassword:
    """A password that nobody chose, and its hash."""

    text: str = field(repr=False)
    hash: str


class Passwords:
    """Hashes and checks passwords with Argon2id (RFC 9106)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Use this hasher, or one with the library's recommended cost."""
        self._given = hasher

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return self._given or PasswordHasher()

    @cached_property
    def _nobodys_hash(self) -> str:
        return self._hasher.hash("")

    def hash(self, password: str) -> str:
        """The hash to keep; slow by design."""
        return self._hasher.hash(password)

    def make(self) -> MadePassword:
        """A password that nobody can guess."""
        text = secrets.token_urlsafe(_PASSWORD_BYTES)
        return MadePassword(text, self.hash(text))

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether a password is the one that was hashed; as slow where there is no account (None)."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            self._hasher.verify(password_hash or self._nobodys_hash, password)
        except (Argon2Error, InvalidHashError):
            return False
        return password_hash is not None


class LoginBrake:
    """Counts the failed logins of each account, for all replicas; too many within a while are refused unheard."""

    ATTEMPTS: Final = 10
    WINDOW: Final = timedelta(minutes=5)

    def __init__(self, database: Database) -> None:
        """Keep the count in a database, so that no restart forgets it."""
        self._database = database

    @contextmanager
    def attempt(self, account: str, *, now: datetime) -> Iterator[None]:
        """One attempt, which has failed when the block raises, and wipes out earlier failures when it does not.

        Attempts that are under way take places of failed ones, so nobody gains by guessing side by side; who
        logs in from many places at once is asked to come again in a moment.

        Raises:
            TooManyAttempts: There have been too many.
        """
        from prism_iac.backend.store import logins

        name = _digest(account)
        number = self._begin(name, now)
        try:
            yield
        except BaseException:
            with self._database.writing() as session:
                logins.fail(session, number)
            raise
        with self._database.writing() as session:
            logins.succeed(session, name, number)

    def _begin(self, name: str, now: datetime) -> int:
        from prism_iac.backend.store import hold, logins

        with self._database.writing() as session:
            hold(session.connection(), f"logins of {name}")
            logins.forget_until(session, now - self.WINDOW)
            recent = logins.attempts_of(session, name, since=now - self.WINDOW)
            if len(recent) < self.ATTEMPTS:
                return logins.begin(session, name, at=now)
            failed = [attempt.at for attempt in recent if not attempt.under_way]
        if len(failed) < self.ATTEMPTS:
            raise TooManyAttempts(
                "too many logins to this account are under way", retry_after=timedelta(seconds=1)
            )
        raise TooManyAttempts(
            "too many logins to this account failed", retry_after=failed[0] + self.WINDOW - now
        )


def _digest(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()
