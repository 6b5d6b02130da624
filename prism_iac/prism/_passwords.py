"""Remembers the passwords of accounts that were made on the embedded backend.

One JSON file, readable by its owner alone, replaced as a whole under a lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.prism._json import Malformed, decode

__all__ = ["PasswordFile"]

_PASSWORD_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class PasswordFile:
    """Passwords by user; safe for use from many threads and processes."""

    path: Path

    def find(self, user: str) -> str | None:
        """The password of a user; None when none is kept.

        Raises:
            InvalidInput: The file is damaged.
        """
        return self._load().get(user)

    def of(self, user: str) -> str:
        """The password of a user; a random one is made and kept when there is none.

        Raises:
            InvalidInput: The file is damaged.
        """
        with self._locked():
            passwords = self._load()
            if user not in passwords:
                passwords[user] = secrets.token_urlsafe(_PASSWORD_BYTES)
                self._save(passwords)
            return passwords[user]

    def forget(self, user: str, password: str) -> None:
        """Drop a password that proved wrong, unless it was replaced meanwhile."""
        with self._locked():
            passwords = self._load()
            if passwords.get(user) == password:
                del passwords[user]
                self._save(passwords)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _load(self) -> dict[str, str]:
        try:
            passwords = decode(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except Malformed as error:
            raise self._damaged() from error
        if not isinstance(passwords, dict) or not all(isinstance(text, str) for text in passwords.values()):
            raise self._damaged()
        return passwords

    def _save(self, passwords: dict[str, str]) -> None:
        part = self.path.with_suffix(".part")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(passwords, file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    def _damaged(self) -> InvalidInput:
        return InvalidInput(
            [
                Finding(
                    file=str(self.path),
                    message="the file with the passwords of local accounts is damaged",
                    fix="Restore it, or remove it together with the accounts.",
                )
            ]
        )
