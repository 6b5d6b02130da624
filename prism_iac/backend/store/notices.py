"""What one replica tells the others of an instance, with the commit of the change that it is about.

PostgreSQL delivers a notice when its transaction is committed, and never otherwise, so whoever is killed after a
commit has told. SQLite serves one process, which needs to tell nobody.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from prism_iac._json import load_json
from prism_iac.backend.store.base import DatabaseAway
from prism_iac.backend.store.database import Database

__all__ = ["Notice", "Subject", "hear", "tell"]

_CHANNEL: Final = "prism_agents"


class Subject(StrEnum):
    """What a notice is about."""

    CVM_HAS_NEWS = "cvm has news"
    CVM_REMOVED = "cvm removed"
    CERTIFICATE_REVOKED = "certificate revoked"
    ANYTHING = "anything"


class Notice(NamedTuple):
    """Something that whoever holds an agent's stream must know; `id` is a CVM's, or a serial number."""

    subject: Subject
    id: str


def tell(session: Session, notice: Notice) -> None:
    """Tell every replica once the transaction is committed; nothing where there is one process."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(_CHANNEL, json.dumps(notice))))


async def hear(database: Database) -> AsyncIterator[Notice]:
    """What replicas tell from now on; first of all that anything may have been told before.

    Raises:
        DatabaseAway: The connection broke, or there is none.
    """
    import psycopg

    try:
        async with await database.own_connection() as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            yield Notice(Subject.ANYTHING, "")
            async for message in connection.notifies():
                for notice in _read(message.payload):
                    yield notice
    except psycopg.Error as error:
        raise DatabaseAway("the database does not answer", retry_is_safe=True) from error


def _read(payload: str) -> Iterator[Notice]:
    # A newer version may speak of what this one does not know.
    with suppress(ValueError, TypeError):
        subject, about = load_json(payload)
        yield Notice(Subject(subject), str(about))
