"""The database: how it is opened, and the two kinds of transaction.

SQLite is opened in WAL mode. Its writers take turns: inside the process by a lock, among processes by
BEGIN IMMEDIATE and the busy timeout, so that no transaction fails half-way for want of the lock. A commit
survives any end of the process; the last ones may be lost with the machine's power (`synchronous=NORMAL`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from prism_iac.backend.store.base import DatabaseAway, Duplicate

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["Database", "hold"]

_BUSY_TIMEOUT_MS: Final = 10_000
_CACHE_KIB: Final = 512
"""Of each connection; the kernel holds the file for all of them, and the library's 2 MiB would grow by the day."""
_POOL_SIZE: Final = 24
_POSTGRES: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Seconds, the last in milliseconds: a server that vanished without a word is noticed within half a minute."""
_WRITES: Final = "prism_writes"


class Database:
    """An open database; `reading()` and `writing()` give a session in a transaction of its own."""

    def __init__(self, url: str) -> None:
        """Open the pool; connections are made when they are needed.

        Args:
            url: An SQLAlchemy URL; `postgresql://` means the driver psycopg.
        """
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.engine: Final[Engine] = create_engine(
            parsed,
            pool_size=_POOL_SIZE,
            max_overflow=0,
            pool_pre_ping=not self.is_sqlite,
            hide_parameters=True,  # errors are logged, and parameters hold keys and hashes
            connect_args={} if self.is_sqlite else _POSTGRES,
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing_engine = self.engine.execution_options(**{_WRITES: True})
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @classmethod
    def in_folder(cls, data: Path) -> Database:
        """The SQLite database of a data folder; only its owner may read it."""
        (data / "backend.db").touch(mode=0o600)
        return cls(f"sqlite:///{data / 'backend.db'}")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and never waits for writers.

        Raises:
            DatabaseAway: The database does not answer.
        """
        with _translated(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed at the end, or not at all.

        Transactions that lock several rows take them in one order: CVM, computation, run.

        Raises:
            DatabaseAway: The database does not answer, or another transaction was given precedence.
            Duplicate: A unique value is repeated.
        """
        with (
            _translated(),
            self._turn,
            Session(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    async def own_connection(self) -> AsyncConnection[Any]:
        """A connection outside the pool, which commits each statement by itself; PostgreSQL alone.

        Raises:
            psycopg.Error: The database does not answer.
        """
        from psycopg import AsyncConnection

        url = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return await AsyncConnection.connect(url, autocommit=True, **_POSTGRES)

    def answers(self) -> bool:
        """Whether a trivial query succeeds."""
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1"))
        except DatabaseAway:
            return False
        return True

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def hold(connection: Connection, name: str) -> None:
    """Hold a name against other transactions until this one ends; SQLite's writers take turns anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


@contextmanager
def _translated() -> Iterator[None]:
    """Lets the store's own errors out in place of the library's."""
    try:
        yield
    except IntegrityError as error:
        raise Duplicate("a row with the same unique value exists") from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise DatabaseAway("the database does not answer", retry_is_safe=True) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin_sqlite` does
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"cache_size=-{_CACHE_KIB}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
