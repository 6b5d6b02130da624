"""The platform administrator that a first start makes, and the token that lies ready while the backend runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac.backend._files import write_private
from prism_iac.backend._logins import MadePassword
from prism_iac.backend._tokens import TokenKind, Tokens
from prism_iac.backend.store import Database, users
from prism_iac.backend.store.users import NewUser

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
    between leaves a file that is missing, never one that is wrong.
    """
    with database.reading() as session:
        there = users.find_by_login(session, _USERNAME)
    if path.exists() and there is not None:
        return there.id
    path.unlink(missing_ok=True)
    password = make_password()
    with database.writing() as session:
        user = users.find_by_login(session, _USERNAME)
        if user is None:
            new = NewUser(
                username=_USERNAME,
                email=_EMAIL,
                password_hash=password.hash,
                first_name="Platform",
                last_name="Administrator",
                is_platform_administrator=True,
            )
            user = users.add(session, new, now=now)
        else:
            user.password_hash, user.sessions_from = password.hash, now.replace(microsecond=0)
    document = {"username": _USERNAME, "password": password.text, "endpoint": endpoint}
    write_private(path, json.dumps(document, indent=2).encode() + b"\n")
    return user.id


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
