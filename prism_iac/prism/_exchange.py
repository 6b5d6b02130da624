"""Repeats a call where, and only where, a repeat is safe.

| what happened                          | which calls are made again                             |
| -------------------------------------- | ------------------------------------------------------ |
| nothing was sent (connection refused)  | all                                                    |
| no whole reply came                    | GET, PUT, DELETE; POST with a key; calls so marked     |
| 429, 502, 503, 504                     | the same                                               |
| any other reply                        | none                                                   |

`stop` is a GET that acts (prism-rest.md D20): it is marked never to be repeated after it was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prism_iac.prism._call import Call, Reply
from prism_iac.prism._errors import Unavailable
from prism_iac.prism._limits import Limits
from prism_iac.prism._retry import PASSING_STATUSES, pause_seconds

if TYPE_CHECKING:
    from prism_iac.prism._wire import Wire

__all__ = ["Exchange"]

_log = logging.getLogger("prism_iac.prism")


@dataclass(frozen=True, slots=True)
class Exchange:
    """Calls over one wire, with repeats.

    Attributes:
        clock: Seconds that never go back.
        sleep: Waits for a number of seconds.
        jitter: Gives a number of [0, 1).
    """

    wire: Wire
    limits: Limits
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]

    def reply_to(self, call: Call, token: str | None = None) -> Reply:
        """The last reply to a call, whatever its status.

        Raises:
            Unavailable: No whole reply came, and no repeat was safe or the time is over.
            UnexpectedReply: The peer is not trusted or its reply cannot be read.
        """
        end = self.clock() + self.limits.total_seconds
        attempt = 0
        may_have_happened = False
        while True:
            outcome = self._attempt(call, token, end - self.clock())
            may_have_happened |= _may_have_happened(call, outcome)
            pause = pause_seconds(attempt, outcome if isinstance(outcome, Reply) else None, self.jitter)
            if not _is_worth_repeating(call, outcome) or self.clock() + pause >= end:
                return _final(outcome, may_have_happened=may_have_happened)
            attempt += 1
            _log.info(
                "a call is repeated", extra={"method": call.method, "path": call.path, "attempt": attempt}
            )
            self.sleep(pause)

    def _attempt(self, call: Call, token: str | None, seconds: float) -> Reply | Unavailable:
        try:
            return self.wire.exchange(call, token=token, seconds=seconds)
        except Unavailable as failure:
            return failure


def _is_worth_repeating(call: Call, outcome: Reply | Unavailable) -> bool:
    if isinstance(outcome, Unavailable):
        return outcome.retry_is_safe
    return outcome.status in PASSING_STATUSES and call.is_safe_to_repeat


def _may_have_happened(call: Call, outcome: Reply | Unavailable) -> bool:
    if isinstance(outcome, Unavailable):
        return outcome.may_have_happened
    return outcome.is_server_error and call.changes_something


def _final(outcome: Reply | Unavailable, *, may_have_happened: bool) -> Reply:
    """The last outcome, which knows of the earlier ones."""
    if isinstance(outcome, Unavailable):
        outcome.may_have_happened = may_have_happened
        raise outcome
    return replace(outcome, may_have_happened=may_have_happened)
