"""What a handler may use besides its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from prism_iac.lifecycle._session import Session
from prism_iac.model import parse_duration

__all__ = ["Context", "poll"]

T = TypeVar("T")

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 2.0
_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one call of a handler.

    Attributes:
        name: The resource's logical name, for automatic names and messages.
        identity: The deterministic identity to create under.
        session: The way to Prism; connects on first use.
        default_workspace: The workspace of the provider's configuration; None when it names none.
        now: The clock, aware UTC.
        pause: Waits for a number of seconds; raises when the stack update ends meanwhile.
        report: Shows one line of progress to the user.
    """

    name: str
    identity: str
    session: Session
    default_workspace: str | None
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    report: Callable[[str], None]


def poll(context: Context, probe: Callable[[], T | None], *, timeout: str) -> T | None:
    """Ask again, less and less often, until an answer comes.

    Args:
        context: Gives clock and pause.
        probe: Gives the answer, or None to be asked again.
        timeout: A duration such as `15m`.

    Returns:
        The answer, or None when the time is over.
    """
    end = context.now() + parse_duration(timeout)
    pause = _FIRST_PAUSE_SECONDS
    while (answer := probe()) is None:
        if context.now() >= end:
            return None
        context.pause(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)
    return answer
