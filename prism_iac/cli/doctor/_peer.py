"""Whether Prism answers, agrees about the time, and knows the user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from prism_iac.cli._outcome import Outcome, failed, fine, skipped
from prism_iac.cli._prism import Prism
from prism_iac.errors import RemoteFailure

__all__ = ["check_backend", "check_clock", "check_credentials", "check_workspace", "clock_outcome"]

_MOST_SKEW: Final = timedelta(seconds=30)
"""Fresh certificates and tokens are refused by clocks that are further apart."""

_PATIENCE_SECONDS: Final = 5.0


def check_backend(prism: Prism) -> Outcome:
    """Whether a server answers."""
    url = prism.url
    _date_at(url)
    return fine(f"process {prism.embedded.pid} at {url}" if prism.embedded else url)


def check_clock(prism: Prism) -> Outcome:
    """Whether its clock and ours agree."""
    return clock_outcome(_date_at(prism.url), now=datetime.now(UTC))


def clock_outcome(date: str | None, *, now: datetime) -> Outcome:
    """What a server's `Date` header says of the clocks.

    Args:
        date: The header (RFC 9110 section 6.6.1), to the second; None when there is none.
        now: The time here, aware.
    """
    try:
        skew = abs(parsedate_to_datetime(date or "") - now)
    except (ValueError, TypeError):
        return skipped("the server does not tell its time")
    evidence = f"they differ by {skew.total_seconds():.0f} s"
    if skew > _MOST_SKEW:
        return failed(
            evidence,
            cause="this machine's clock and that of the server do not agree",
            fix="Set the clock, or let it be kept by NTP.",
        )
    return fine(evidence)


def check_credentials(prism: Prism) -> Outcome:
    """Whether Prism lets the user in."""
    user = prism.client.users.profile()
    return fine(user.email or user.username)


def check_workspace(prism: Prism) -> Outcome:
    """Whether it is clear in which workspace commands act."""
    return fine(f"{prism.domain.name} ({prism.domain.id})")


def _date_at(url: str) -> str | None:
    """The `Date` header of whatever a server answers at its root."""
    import httpx

    try:
        date: str | None = httpx.get(url, timeout=_PATIENCE_SECONDS).headers.get("date")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RemoteFailure(
            "nobody answers",
            where=url,
            next_step="Check the endpoint, the network, and the proxy settings.",
            retry_is_safe=True,
        ) from error
    return date
