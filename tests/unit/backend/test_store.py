"""The schema and the transactions of both databases."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, inspect, text

from prism_iac.backend.store import (
    SCHEMA_REVISION,
    Base,
    Database,
    Duplicate,
    assets,
    cvms,
    prepare_schema,
    users,
)
from prism_iac.backend.store.schema import upgrade
from prism_iac.backend.store.users import NewUser
from prism_iac.errors import Conflict
from prism_iac.model import RemoteSource, VmStatus
from tests.unit.backend.support import START

ADA = NewUser(username="ada", email="ada@example.com", password_hash="x")

OLD_ROWS: dict[str, dict[str, Any]] = {
    "users": {
        **dict.fromkeys(("id", "username", "email", "first_name", "last_name"), "ada"),
        **dict.fromkeys(("password_hash", "profile_picture"), "x"),
        "tags": [],
        "metadata": {},
        "enabled": True,
        "is_platform_administrator": False,
        "sessions_from": START.replace(tzinfo=None),
        "created_at": START.replace(tzinfo=None),
    },
    "workspaces": {
        "id": "research",
        "name": "research",
        "alias": "research",
        "enabled": True,
        "created_by": "ada",
        "created_at": START.replace(tzinfo=None),
    },
    "cvms": {
        "id": "vm",
        "workspace_id": "research",
        "name": "trainer",
        "provider": "external",
        "vcpus": 2,
        "cc_platform": "sev-snp",
        "agent_log_level": "info",
        "agent_url": "",
        "status": "online",
        "state": "",
        "must_reset": False,
        "report": b"",
        "token": b"",
        "created_at": START.replace(tzinfo=None),
    },
    "assets": {
        "id": "iris",
        "workspace_id": "research",
        "user_id": "ada",
        "asset_type": "dataset",
        **dict.fromkeys(("file_name", "description", "mime_type", "checksum", "user_key"), "x"),
        "sample": b"",
        "created_at": START.replace(tzinfo=None),
    },
}
"""Rows as the first schema has them, in the order in which they refer to each other."""


@pytest.fixture
def empty_database(database: Database, tmp_path: Path) -> Iterator[Database]:
    """Another database of the same kind, without tables."""
    if database.is_sqlite:
        (tmp_path / "empty").mkdir()
        empty = Database.in_folder(tmp_path / "empty")
    else:
        name = f"empty_{uuid4().hex}"
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text(f"CREATE DATABASE {name}")
            )
        url = database.engine.url.set(database=name)
        empty = Database(url.render_as_string(hide_password=False))
    yield empty
    empty.close()


def test_the_migrations_lead_to_the_mapped_tables(database: Database, empty_database: Database) -> None:
    with empty_database.engine.begin() as connection:
        upgrade(connection)
    with empty_database.engine.connect() as migrated, database.engine.connect() as made:
        for connection in (migrated, made):
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []
            assert context.get_current_revision() == SCHEMA_REVISION
        assert _constraints(migrated) == _constraints(made)


def _constraints(connection: Connection) -> dict[str, list[str]]:
    """What a comparison with the mapped tables does not look at: keys and the names of what guards rows."""
    seen = inspect(connection)
    return {
        table: sorted(
            str(item)
            for item in (
                seen.get_pk_constraint(table),
                *seen.get_foreign_keys(table),
                *seen.get_unique_constraints(table),
                *seen.get_check_constraints(table),
            )
        )
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def _fill_as_the_first_version_did(database: Database) -> None:
    with database.engine.begin() as connection:
        upgrade(connection, "0001")
        for table, row in OLD_ROWS.items():
            connection.execute(Table(table, MetaData(), autoload_with=connection).insert().values(row))


def test_the_vms_of_the_first_schema_are_kept_and_may_have_machines_from_then_on(
    empty_database: Database,
) -> None:
    _fill_as_the_first_version_did(empty_database)
    prepare_schema(empty_database)
    with empty_database.writing() as session:
        cvm = cvms.lock(session, "vm")
        assert (cvm.name, cvm.status, cvm.machine_id) == ("trainer", VmStatus.ONLINE, "")
        cvm.machine_id = "machine"
    with empty_database.reading() as session:
        kept = cvms.find_anywhere(session, "vm")
        assert kept is not None
        assert kept.machine_id == "machine"
    prepare_schema(empty_database)


def test_the_assets_of_the_first_schema_are_uploaded_and_may_have_a_source_from_then_on(
    empty_database: Database,
) -> None:
    _fill_as_the_first_version_did(empty_database)
    prepare_schema(empty_database)
    source = RemoteSource(url="s3://lab/iris", runtime="bin", arguments=["--fast", "ä"])
    with empty_database.writing() as session:
        asset = assets.find(session, "research", "iris")
        assert asset is not None
        assert asset.source is None
        asset.source = source
    with empty_database.reading() as session:
        kept = assets.find(session, "research", "iris")
        assert kept is not None
        assert kept.source == source


def test_preparing_a_current_schema_again_keeps_what_is_there(database: Database) -> None:
    with database.writing() as session:
        users.add(session, ADA, now=START)
    prepare_schema(database)
    with database.reading() as session:
        assert users.find_by_login(session, "ada") is not None


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    prepare_schema(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="schema 9999"):
        prepare_schema(database)
    database.close()


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        _write_and_fail(database)
    with database.reading() as session:
        assert users.find_by_login(session, "ada") is None


def _write_and_fail(database: Database) -> None:
    with database.writing() as session:
        users.add(session, ADA, now=START)
        raise RuntimeError


def test_a_repeated_unique_value_is_told_as_such(database: Database) -> None:
    with database.writing() as session:
        users.add(session, ADA, now=START)
    with pytest.raises(Duplicate), database.writing() as session:
        users.add(session, ADA, now=START)


def test_a_reader_sees_one_state_while_a_writer_commits(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    prepare_schema(database)
    with database.reading() as session:
        assert users.find_by_login(session, "ada") is None
        writer = threading.Thread(target=_write, args=(database,))
        writer.start()
        writer.join()
        assert users.find_by_login(session, "ada") is None
    with database.reading() as session:
        assert users.find_by_login(session, "ada") is not None
    database.close()


def _write(database: Database) -> None:
    with database.writing() as session:
        users.add(session, ADA, now=START)


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    prepare_schema(database)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("backend.db*")}
    database.close()
    assert modes.keys() >= {"backend.db", "backend.db-wal"}
    assert set(modes.values()) == {0o600}


def test_a_moment_survives_the_database_to_the_microsecond(database: Database) -> None:
    moment = START.replace(microsecond=123456)
    with database.writing() as session:
        users.add(session, ADA, now=moment)
    with database.reading() as session:
        user = users.find_by_login(session, "ada")
        assert user is not None
        assert user.created_at == moment
