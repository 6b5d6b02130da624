"""The schema and the transactions of both databases."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from prism_iac.backend.store import SCHEMA_REVISION, Base, Database, Duplicate, prepare_schema, users
from prism_iac.backend.store.schema import upgrade
from prism_iac.backend.store.users import NewUser
from prism_iac.errors import Conflict
from tests.unit.backend.support import START

ADA = NewUser(username="ada", email="ada@example.com", password_hash="x")


@pytest.fixture
def migrated_database(database: Database, tmp_path: Path) -> Iterator[Database]:
    """A database of the same kind that the migrations alone have made."""
    if database.is_sqlite:
        (tmp_path / "migrated").mkdir()
        migrated = Database.in_folder(tmp_path / "migrated")
    else:
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("CREATE DATABASE migrated")
            )
        url = database.engine.url.set(database="migrated")
        migrated = Database(url.render_as_string(hide_password=False))
    with migrated.engine.begin() as connection:
        upgrade(connection)
    yield migrated
    migrated.close()


def test_the_migrations_lead_to_the_mapped_tables(database: Database, migrated_database: Database) -> None:
    with migrated_database.engine.connect() as migrated, database.engine.connect() as made:
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
