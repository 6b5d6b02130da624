"""What the plugin knows of the call that a thread serves: whose it is, and how long it may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from prism_iac.errors import Conflict
from prism_iac.provider._deployment import interrupted

__all__ = ["Interruption", "current_urn", "serving"]


@dataclass(frozen=True, slots=True)
class _Serving:
    urn: str
    seconds: float
    """How long the call may take; 0 for as long as it takes."""
    deadline: float


_current: ContextVar[_Serving | None] = ContextVar("current", default=None)


@contextmanager
def serving(urn: str, *, seconds: float = 0.0) -> Iterator[None]:
    """Serve a call for the resource with this URN, within a time where the user set one."""
    token = _current.set(_Serving(urn, seconds, time.monotonic() + seconds))
    try:
        yield
    finally:
        _current.reset(token)


def current_urn() -> str:
    """The URN of the resource that this thread serves; empty between calls."""
    call = _current.get()
    return call.urn if call else ""


class Interruption:
    """The end of an update before its time; what waits ends with it."""

    def __init__(self) -> None:
        self._came = threading.Event()

    def come(self) -> None:
        """End whatever waits, now and later."""
        self._came.set()

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            Conflict: The engine ends the update, or the time of the call is over.
        """
        call = _current.get()
        left = call.deadline - time.monotonic() if call and call.seconds else seconds
        if self._came.wait(max(0.0, min(seconds, left))):
            raise interrupted()
        if call and left < seconds:
            raise Conflict(
                f"not done within the {call.seconds:g} s of its timeout",
                next_step="Run the update again: it goes on from here. Or raise `customTimeouts`.",
            )
