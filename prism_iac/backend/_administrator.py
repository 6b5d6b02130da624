"""The platform administrator that a first start makes."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac.backend._files import write_private
from prism_iac.backend._logins import Passwords
from prism_iac.backend.store import Database, users
from prism_iac.backend.store.users import NewUser

__all__ = ["ensure_administrator"]

_USERNAME: Final = "admin"
_EMAIL: Final = "admin@localhost.localdomain"
_FILE: Final = "admin.json"
_PASSWORD_BYTES: Final = 24


def ensure_administrator(
    data: Path, database: Database, passwords: Passwords, *, endpoint: str, now: datetime
) -> None:
    """Make sure that the administrator exists and its credentials lie in `admin.json` (mode 0600).

    Where one of the two is missing, both are made afresh. The file is put in place last, so that a kill in
    between leaves a file that is missing, never one that is wrong.
    """
    path = data / _FILE
    with database.reading() as session:
        is_there = users.find_by_login(session, _USERNAME) is not None
    if path.exists() and is_there:
        return
    path.unlink(missing_ok=True)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    password_hash = passwords.hash(password)
    with database.writing() as session:
        user = users.find_by_login(session, _USERNAME)
        if user is None:
            new = NewUser(
                username=_USERNAME,
                email=_EMAIL,
                password_hash=password_hash,
                first_name="Platform",
                last_name="Administrator",
                is_platform_administrator=True,
            )
            users.add(session, new, now=now)
        else:
            user.password_hash, user.sessions_from = password_hash, now.replace(microsecond=0)
    document = {"username": _USERNAME, "password": password, "endpoint": endpoint}
    write_private(path, json.dumps(document, indent=2).encode() + b"\n")
