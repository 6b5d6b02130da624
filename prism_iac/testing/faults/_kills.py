"""A scenario is killed before and after each of its calls, and must recover from each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from prism_iac.testing.faults._proxy import FaultProxy

__all__ = ["KillPoint", "Moment", "kill_points"]


class Moment(StrEnum):
    """On which side of a call the kill comes."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class KillPoint:
    """A place in a scenario where it is killed.

    Attributes:
        number: Of the call, from 1 on.
        call: `METHOD path` of that call, as it was when nothing was killed.
        moment: Whether the backend has done the call.
    """

    number: int
    call: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment} call {self.number}, {self.call}"

    @contextmanager
    def armed(self, proxy: FaultProxy, kill: Callable[[], None]) -> Iterator[list[str]]:
        """Kill when the proxy meets this point.

        Args:
            proxy: Where the calls come by; its next call is number 1.
            kill: Ends what makes the calls, at once.

        Returns:
            The call at which it was killed; empty as long as it was not.
        """
        begun = len(proxy.calls)
        killed: list[str] = []

        def strike(number: int) -> None:
            if number - begun == self.number:
                killed.append(proxy.calls[number - 1])
                kill()

        setattr(proxy, self.moment.value, strike)
        try:
            yield killed
        finally:
            proxy.before = proxy.after = None


def kill_points(calls: list[str]) -> list[KillPoint]:
    """Every point of a scenario that made these calls; of a call that a wait repeats, the first."""
    numbered = [
        (number, call)
        for number, (call, last) in enumerate(zip(calls, ["", *calls], strict=False), 1)
        if call != last
    ]
    return [KillPoint(number, call, moment) for number, call in numbered for moment in Moment]
