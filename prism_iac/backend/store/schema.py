"""Brings a database to the schema that this version works with.

Alembic alone makes and upgrades the schema; it is imported only where there is something to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text

from prism_iac.backend.store.database import Database
from prism_iac.errors import Conflict

__all__ = ["SCHEMA_REVISION", "prepare_schema"]

SCHEMA_REVISION: Final = "0002"
"""The newest revision in `migrations/versions`."""


def prepare_schema(database: Database) -> None:
    """Make the schema in an empty database, or upgrade an older one; nothing where it is current.

    Raises:
        Conflict: The database was made by a newer version.
    """
    current = _revision_of(database)
    if current == SCHEMA_REVISION:
        return
    if current is not None and current > SCHEMA_REVISION:
        raise Conflict(
            f"the database has schema {current}, this version knows up to {SCHEMA_REVISION}",
            next_step="Start the version that made it, or a newer one.",
        )
    _upgrade(database)


def _revision_of(database: Database) -> str | None:
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def _upgrade(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
