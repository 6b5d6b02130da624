from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority

FAST_KEY = KeySpec(algorithm=KeyAlgorithm.ECDSA)

OpenSsl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def authority() -> Authority:
    made_at = datetime(2026, 3, 1, tzinfo=UTC)
    return Authority.create("test CA", key=FAST_KEY, now=made_at, validity=timedelta(days=3650))


@pytest.fixture
def openssl() -> OpenSsl:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True)

    return run
