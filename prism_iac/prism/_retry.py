"""How long to wait before a call is made again.

Source: RFC 9110 section 10.2.3 (Retry-After); full jitter, so that many clients do not return together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from prism_iac.prism._call import Reply

__all__ = ["PASSING_STATUSES", "pause_seconds", "retry_after_seconds"]

PASSING_STATUSES: Final = frozenset({429, 502, 503, 504})
"""The replies that a repeat may change."""

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 2.0
_MOST_DOUBLINGS: Final = 10


def pause_seconds(attempt: int, reply: Reply | None, jitter: Callable[[], float]) -> float:
    """The pause after a failed attempt.

    Args:
        attempt: The number of attempts before it.
        reply: What came back; None when nothing did.
        jitter: Gives a number of [0, 1).
    """
    ceiling = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(attempt, _MOST_DOUBLINGS), _LONGEST_PAUSE_SECONDS)
    asked = retry_after_seconds(reply) if reply else None
    return max(jitter() * ceiling, asked or 0.0)


def retry_after_seconds(reply: Reply) -> float | None:
    """What the server asks for; None when it asks for nothing.

    A date is measured against the `Date` of the same reply, so that clocks need not agree; without one it
    says nothing.
    """
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until, now = _http_date(text), _http_date(reply.headers.get("date", ""))
    if until is None or now is None:
        return None
    return max((until - now).total_seconds(), 0.0)


def _http_date(text: str) -> datetime | None:
    try:
        moment: datetime = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
