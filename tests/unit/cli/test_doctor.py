"""What `doctor` makes of what it sees."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prism_iac.cli._outcome import Verdict
from prism_iac.cli.doctor._disk import disk_outcome
from prism_iac.cli.doctor._peer import clock_outcome
from prism_iac.cli.doctor._token import token_outcome
from prism_iac.cli.doctor._versions import versions_outcome

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


def token(**claims: Any) -> str:
    """A JWT with some claims; nobody looks at its signature here."""
    parts = ({"alg": "HS512", "typ": "JWT"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join([*encoded, "c2ln"])


def ending(after: timedelta) -> str:
    return token(exp=int((NOW + after).timestamp()), type=0)


@pytest.mark.parametrize(
    ("given", "verdict", "cause"),
    [
        (ending(timedelta(hours=1)), Verdict.OK, ""),
        (ending(timedelta(minutes=4)), Verdict.FAILED, "the token ends in less than five minutes"),
        (ending(timedelta(0)), Verdict.FAILED, "the token has ended"),
        (token(exp=4_000_000_000, type=1), Verdict.FAILED, "it is a refresh token, which lets nobody in"),
        (token(type=0), Verdict.SKIPPED, ""),
        (token(exp="soon"), Verdict.SKIPPED, ""),
        ("abc", Verdict.FAILED, "it is no JSON Web Token"),
        ("a.b.c", Verdict.FAILED, "it is no JSON Web Token"),
        ("a.é.c", Verdict.FAILED, "it is no JSON Web Token"),
    ],
)
def test_a_token(given: str, verdict: Verdict, cause: str) -> None:
    outcome = token_outcome(given, now=NOW)
    assert (outcome.verdict, outcome.cause) == (verdict, cause)
    assert given not in f"{outcome.evidence} {outcome.fix}"


def test_a_token_tells_when_it_ends() -> None:
    outcome = token_outcome(ending(timedelta(hours=1)), now=NOW)
    assert outcome.evidence == "PRISM_TOKEN ends at 2027-01-31 13:00 UTC"


@pytest.mark.parametrize(
    ("free", "verdict"), [(1 << 30, Verdict.OK), ((1 << 30) - 1, Verdict.FAILED), (0, Verdict.FAILED)]
)
def test_a_disk(free: int, verdict: Verdict) -> None:
    assert disk_outcome(free, where="/data").verdict is verdict


@pytest.mark.parametrize(
    ("backend", "verdict"), [("1.0", Verdict.OK), ("0.9", Verdict.FAILED), (None, Verdict.OK)]
)
def test_versions(backend: str | None, verdict: Verdict) -> None:
    assert versions_outcome("1.0", sdk="3.1", backend=backend).verdict is verdict


@pytest.mark.parametrize(
    ("date", "verdict"),
    [
        ("Sun, 31 Jan 2027 12:00:30 GMT", Verdict.OK),
        ("Sun, 31 Jan 2027 11:59:29 GMT", Verdict.FAILED),
        ("yesterday", Verdict.SKIPPED),
        (None, Verdict.SKIPPED),
    ],
)
def test_a_clock(date: str | None, verdict: Verdict) -> None:
    assert clock_outcome(date, now=NOW).verdict is verdict
