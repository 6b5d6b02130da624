"""Brings a database to the schema that this version works with.

An empty database gets the mapped tables at once; Alembic upgrades those of older versions, and is imported only
then. A test holds the migrations to the mapped tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from prism_iac.backend.store.base import Base
from prism_iac.backend.store.database import Database, hold
from prism_iac.errors import Conflict

__all__ = ["SCHEMA_REVISION", "prepare_schema", "upgrade"]

SCHEMA_REVISION: Final = "0004"
"""The newest revision in `migrations/versions`."""


def prepare_schema(database: Database) -> None:
    """Make the schema in an empty database, or upgrade an older one; nothing where it is current.

    Raises:
        Conflict: The database was made by a newer version.
    """
    with database.engine.begin() as connection:
        hold(connection, "schema")  # replicas may start at the same moment
        current = _revision_of(connection)
        if current == SCHEMA_REVISION:
            return
        if current is None:
            _make(connection)
            return
        if current > SCHEMA_REVISION:
            raise Conflict(
                f"the database has schema {current}, this version knows up to {SCHEMA_REVISION}",
                next_step="Start the version that made it, or a newer one.",
            )
        upgrade(connection)


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _make(connection: Connection) -> None:
    # A table that is there already is somebody else's.
    Base.metadata.create_all(connection, checkfirst=False)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": SCHEMA_REVISION})


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations that a database has not seen, from an empty one all of them, up to a revision."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
