"""The platform administrator that a first start makes, and the token that lies ready while the backend runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from prism_iac._json import load_json
from prism_iac.backend._files import write_private
from prism_iac.backend._logins import MadePassword
from prism_iac.backend._tokens import TokenKind, Tokens
from prism_iac.backend.store import Database, hold, instance_keys, users
from prism_iac.backend.store.users import NewUser, User

__all__ = ["TokenFile", "ensure_administrator"]

_USERNAME: Final = "admin"
_EMAIL: Final = "admin@localhost.localdomain"
_TOKEN_FILE: Final = "admin.token"  # noqa: S105  # a file's name
_TOKEN_RENEWAL_SECONDS: Final = 30 * 60.0
"""Half of a token's life: whoever reads the file has the other half."""


def ensure_administrator(
    path: Path, database: Database, make_password: Callable[[], MadePassword], *, endpoint: str, now: datetime
) -> str:
    """Make sure that the administrator exists and its credentials lie in a file (mode 0600); gives its id.

    Where one of the two is missing, both are made afresh. The file is put in place last, so that a kill in
    between leaves a file that is missing, never one that is wrong. Replicas share the password, which lies with
    their keys.
    """
    with database.writing() as session:
        hold(session.connection(), _USERNAME)
        user = users.find_by_login(session, _USERNAME)
        password = _known_password(session, database, path) if user is not None else None
        if user is None or password is None:
            path.unlink(missing_ok=True)
            made = make_password()
            user, password = _with_password(session, user, made.hash, now=now), made.text
        if not database.is_sqlite:
            instance_keys.put(session, {_USERNAME: password.encode()})
        user_id = user.id
    if _password_in(path) != password:
        document = {"username": _USERNAME, "password": password, "endpoint": endpoint}
        write_private(path, json.dumps(document, indent=2).encode() + b"\n")
    return user_id


def _known_password(session: Session, database: Database, path: Path) -> str | None:
    shared = None if database.is_sqlite else instance_keys.all_of(session).get(_USERNAME)
    if shared is not None:
        return shared.decode()
    return _password_in(path)


def _password_in(path: Path) -> str | None:
    """The password that a file holds; None where there is no such file."""
    try:
        return str(load_json(path.read_bytes())["password"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _with_password(session: Session, user: User | None, password_hash: str, *, now: datetime) -> User:
    if user is not None:
        user.password_hash, user.sessions_from = password_hash, now.replace(microsecond=0)
        return user
    new = NewUser(
        username=_USERNAME,
        email=_EMAIL,
        password_hash=password_hash,
        first_name="Platform",
        last_name="Administrator",
        is_platform_administrator=True,
    )
    return users.add(session, new, now=now)


class TokenFile:
    """`admin.token` (mode 0600): an access token of the administrator, for tools and for whoever starts often.

    A login costs a password check, which is slow by design. The file is there while the backend runs.
    """

    def __init__(self, data: Path, tokens: Tokens, user_id: str) -> None:
        self._path = data / _TOKEN_FILE
        self._tokens = tokens
        self._user_id = user_id

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have the file while the context lasts."""
        self._write()
        try:
            yield
        finally:
            self._path.unlink(missing_ok=True)

    async def renew(self) -> None:
        """Write a fresh token long before the last one ends, again and again."""
        while True:
            await asyncio.sleep(_TOKEN_RENEWAL_SECONDS)
            await asyncio.to_thread(self._write)

    def _write(self) -> None:
        write_private(self._path, self._tokens.issue(self._user_id, TokenKind.ACCESS).encode() + b"\n")
