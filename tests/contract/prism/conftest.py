"""One real embedded backend for the tests of a worker, found and started the way a program does it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prism_iac.prism import Embedded, PrismClient, Workspace, start_embedded


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    data = tmp_path_factory.mktemp("prism") / "data"
    with start_embedded(data) as found:
        yield found
    stop_backend(data)


@pytest.fixture
def own_data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose backend a test may start, stop and kill."""
    yield tmp_path / "data"
    stop_backend(tmp_path / "data")


def stop_backend(data: Path) -> None:
    command = [sys.executable, "-m", "prism_iac.cli", "backend", "down", "--data", str(data / "backend")]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="session")
def domain_id(embedded: Embedded) -> str:
    return embedded.accounts.ensure_workspace("research").id


@pytest.fixture(scope="session")
def admin(embedded: Embedded) -> Iterator[PrismClient]:
    with PrismClient(embedded.endpoint, embedded.accounts.admin) as client:
        yield client


@pytest.fixture(scope="session")
def ada(embedded: Embedded, domain_id: str) -> Iterator[PrismClient]:
    """A participant: a member of the workspace and no more."""
    credentials = embedded.accounts.ensure_user("ada@example.com")
    embedded.accounts.ensure_member(domain_id, "ada@example.com")
    with PrismClient(embedded.endpoint, credentials) as client:
        yield client


@pytest.fixture(scope="session")
def workspace(admin: PrismClient, domain_id: str) -> Workspace:
    return admin.workspace(domain_id)
