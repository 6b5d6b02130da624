"""The calls of a step in their order, whichever wire they take, and the one at which something is killed.

A call is known by what it asks for and by which of the equal calls it is: its number among all of them would change
with whatever happens to be there already.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["STATE", "CutOff", "KillPoint", "Moment", "Tape"]

STATE: Final = " .pulumi/"
"""How the path of a write of state begins."""

_CHANGING: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|(?<=[/.-])[0-9a-f]{12,}(?=[/.]|$)|(?<=[/.-])\d{5,}(?=[/.]|$)"
)
"""What differs in the path of a call from one time to the next: ids and times."""


class Moment(StrEnum):
    """On which side of a call the kill comes."""

    BEFORE = "before"
    AFTER = "after"


class CutOff(Exception):
    """Ends a call whose caller or peer was killed: nobody answers any more."""


@dataclass(frozen=True, slots=True)
class KillPoint:
    """A place in a step where something is killed.

    Attributes:
        call: `METHOD path` with `*` for ids.
        turn: Which one of the equal calls of the step it is, from 1 on.
        moment: Whether the peer has done the call.
    """

    call: str
    turn: int
    moment: Moment

    @property
    def is_of_state(self) -> bool:
        """Whether it is a write of state."""
        return STATE in self.call

    @property
    def changes_something(self) -> bool:
        """Whether the world is another one once the call is done."""
        return not self.call.startswith(("GET ", "HEAD "))

    def __str__(self) -> str:
        turn = f" ({self.turn})" if self.turn > 1 else ""
        return f"{self.moment} {self.call}{turn}"


class Tape:
    """Notes the calls of one step after the other.

    A GET that follows an equal one is no call of its own: how often a wait asks is a matter of time.

    Attributes:
        calls: Those of the step, with `*` for ids.
        struck: Whether something was killed.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.struck = False
        self._lock = threading.Lock()
        self._point: KillPoint | None = None
        self._kill: Callable[[], None] = lambda: None

    def begin(self, point: KillPoint | None = None, kill: Callable[[], None] = lambda: None) -> None:
        """Begin a step, at a point of which something is killed.

        Args:
            point: Where; None to let everything pass.
            kill: Kills; the call waits for it, and is cut off then.
        """
        with self._lock:
            self.calls = []
            self.struck = False
            self._point, self._kill = point, kill

    def points(self) -> list[KillPoint]:
        """Every point of the step that was noted."""
        return [
            KillPoint(call, self.calls[:place].count(call), moment)
            for place, call in enumerate(self.calls, 1)
            for moment in Moment
        ]

    @contextmanager
    def passing(self, call: str) -> Iterator[None]:
        """What a wire does around each call.

        Raises:
            CutOff: Something was killed at this call; the caller gets no answer.
        """
        name = _CHANGING.sub("*", call)
        with self._lock:
            is_repeat = name.startswith("GET ") and self.calls[-1:] == [name]
            if not is_repeat:
                self.calls.append(name)
            turn = 0 if is_repeat else self.calls.count(name)
        self._strike(KillPoint(name, turn, Moment.BEFORE))
        yield
        self._strike(KillPoint(name, turn, Moment.AFTER))

    def _strike(self, here: KillPoint) -> None:
        with self._lock:
            if self._point != here:
                return
            self._point = None
            self.struck = True
        self._kill()
        raise CutOff
