"""The fixtures of the room's tests; each conftest of the room takes what it needs from here."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from prism_iac.attestation import SnpReport, Tcb
from prism_iac.backend.store import Base, Database, prepare_schema
from tests.unit.backend.bridge import LoopThread
from tests.unit.backend.postgres import find_binaries, postgres_server
from tests.unit.backend.support import Person, Prism, Workspace


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Defects as plain text; nothing of what goes well."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=False,
    )


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty database of a PostgreSQL server."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("there is no PostgreSQL server program on this machine")
    with postgres_server(binaries) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """One database with the schema for all tests: making one for each takes too long."""
    database = Database(postgres_url)
    prepare_schema(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty SQLite database with the schema."""
    folder = tmp_path_factory.mktemp("template")
    database = Database.in_folder(folder)
    prepare_schema(database)
    database.close()
    return folder / "backend.db"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the schema, of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path)
        database = Database.in_folder(tmp_path)
        yield database
        database.close()
        return
    shared: Database = request.getfixturevalue("postgres_database")
    yield shared
    with shared.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def ca_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests keep their one authority."""
    return tmp_path_factory.mktemp("ca")


@pytest.fixture
def prism(database: Database, ca_folder: Path, loop_thread: LoopThread) -> Prism:
    return Prism(database, ca_folder, loop_thread)


@pytest.fixture(scope="session")
def snp_report() -> bytes:
    """A report with plausible values and no signature."""
    tcb = Tcb(bytes((1, 1, 0, 0, 0, 0, 1, 1)))
    report = SnpReport(
        version=2,
        policy=0x30000,
        vmpl=2,
        current_tcb=tcb,
        reported_tcb=tcb,
        committed_tcb=tcb,
        launch_tcb=tcb,
        report_data=bytes(64),
        measurement=bytes(range(48)),
        report_id=bytes(range(32)),
        chip_id=bytes(range(64)),
    )
    return report.to_bytes()


@pytest.fixture
def ada(prism: Prism) -> Person:
    """Makes the workspace `lab` and owns what is in it."""
    return prism.person("ada")


@pytest.fixture
def lab(prism: Prism, ada: Person) -> Workspace:
    return prism.workspace(ada)
