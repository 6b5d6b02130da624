"""Passwords, and the brake on guessing them."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from prism_iac.backend._errors import TooManyAttempts

if TYPE_CHECKING:
    from argon2 import PasswordHasher

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
    """Counts the failed logins of each account; too many within a while are refused unheard."""

    ATTEMPTS: Final = 10
    WINDOW: Final = timedelta(minutes=5)
    _MOST_ACCOUNTS: Final = 10_000

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, account: str, *, now: datetime) -> None:
        """Count an attempt as failed until `succeeded` says otherwise.

        Raises:
            TooManyAttempts: There have been too many.
        """
        with self._lock:
            recent = [at for at in self._failures.pop(account, []) if at > now - self.WINDOW]
            self._failures[account] = recent
            if len(recent) >= self.ATTEMPTS:
                raise TooManyAttempts(
                    "too many logins to this account failed", retry_after=recent[0] + self.WINDOW - now
                )
            recent.append(now)
            if len(self._failures) > self._MOST_ACCOUNTS:
                self._failures.popitem(last=False)

    def succeeded(self, account: str) -> None:
        """Forget an account's failures."""
        with self._lock:
            self._failures.pop(account, None)
