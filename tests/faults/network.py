"""What becomes of a step when one of its calls meets a fault: it goes through, or one error says what was met."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from prism_iac.errors import PrismError
from prism_iac.testing.faults import Fault, FaultProxy
from tests.contract.lifecycle.stage import Stage
from tests.faults.scenarios import Scenario, alive

__all__ = ["QUICK", "REFUSED", "Met", "meet", "meet_all"]

_NOT_PRISM: Final = "Check that the endpoint is Prism's REST API and not a gateway, a proxy or a login page."

_LOOK: Final = "GET /ready"
"""How this machine looks whether its own backend is there; no network is between them."""

REFUSED: Final = {
    Fault.REDIRECT: "the reply with status 302 is not one of Prism",
    Fault.CIRCLE: "redirected in a circle",
    Fault.HTML: "the reply is no JSON",
    Fault.WRONG_TYPE: "the reply is no JSON",
    Fault.DUPLICATE_KEYS: "the JSON holds an object with the same key twice",
    Fault.HUGE: "the reply is longer than 33554432 bytes",
    Fault.BROKEN_GZIP: "the reply is not the gzip that it says",
    Fault.GZIP_BOMB: "the reply is longer than 33554432 bytes",
}
"""What people are told of a fault that no repeat would end; with all others a step goes through."""

QUICK: Final = tuple(fault for fault in Fault if fault not in (Fault.SLOW_LORIS, Fault.SLOW_BODY))
"""Those that take no deadline to notice."""


@dataclass(frozen=True)
class Met:
    """A call that met a fault.

    Attributes:
        error: What people were told; None where the step went through.
    """

    call: str
    fault: Fault
    error: str | None


def meet(data: Path, scenario: Scenario, fault: Fault, is_met: Callable[[int, str], bool]) -> Met:
    """Take a step whose call meets a fault, and take it again until it goes through.

    Args:
        data: The folder of a running embedded backend.
        scenario: The step.
        fault: What is met.
        is_met: Tells the call, by its place in the step from 1 on and by `METHOD path`.

    Raises:
        AssertionError: It neither went through nor ended with the one error, or left something behind.
    """
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    before = scenario.prepare(stage)
    stage.session.close()
    met: list[str] = []
    seen: list[str] = []
    is_over = False

    def strike(call: str) -> Fault | None:
        if call == _LOOK:
            return None
        seen.append(call)
        goes_on = fault is Fault.CIRCLE and met == [call] and not is_over
        if not goes_on and (met or not is_met(len(seen), call)):
            return None
        met[:] = [call]
        return fault

    with FaultProxy.before_embedded(data, strike=strike):
        stage = Stage(data, stage.workspace_name)
        error = None
        try:
            settled = scenario.take(stage, before)
        except PrismError as failure:
            error = str(failure)
            is_over = True
            stage.begin_deployment()
            settled = scenario.take(stage, before)
        assert met, "no call met it"
        if error is not None:
            assert REFUSED.get(fault, "no error at all") in error, f"{fault} at {met[0]}: {error}"
            assert _NOT_PRISM in error, error
    stage.begin_deployment()
    assert alive(stage) == ([] if settled is None else [settled.id]), f"{fault} at {met[0]}"
    if settled is not None:
        assert stage.drift(settled) == {}
        stage.delete(settled)
    stage.session.close()
    return Met(met[0], fault, error)


def meet_all(data: Path, scenario: Scenario) -> Iterator[Met]:
    """Let every call of a step meet every quick fault."""
    for number in range(1, _calls_of(data, scenario) + 1):
        for fault in QUICK:
            yield meet(data, scenario, fault, partial(_is_at, number))


def _is_at(number: int, place: int, _call: str) -> bool:
    return place == number


def _calls_of(data: Path, scenario: Scenario) -> int:
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    before = scenario.prepare(stage)
    stage.session.close()
    with FaultProxy.before_embedded(data) as proxy:
        stage = Stage(data, stage.workspace_name)
        settled = scenario.take(stage, before)
        stage.session.close()
        count = len(proxy.calls) - proxy.calls.count(_LOOK)
    if settled is not None:
        stage = Stage(data, stage.workspace_name)
        stage.delete(settled)
        stage.session.close()
    return count
