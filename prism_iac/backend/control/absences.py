"""Marks CVMs offline whose agents stay away for too long, whichever replica they were connected to.

Whoever holds an agent's stream counts the beat of its CVM up. A beat that has stood still for the whole grace, by
the clock of the one who looks, means that nobody holds a stream: no two clocks are compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from prism_iac.backend.control.presence import come_back, leave
from prism_iac.backend.control.services import ControlServices
from prism_iac.backend.store import DatabaseAway, cvms

__all__ = ["Absences"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.control")


class Absences:
    """The beats of CVMs whose agents are connected elsewhere or nowhere, and since when they are seen to stand.

    Args:
        services: What the control stream works with.
        connected: The CVMs whose agents are connected here.
    """

    def __init__(self, services: ControlServices, connected: Callable[[], frozenset[str]]) -> None:
        self._services = services
        self._connected = connected
        self._standing: dict[str, tuple[int, float]] = {}

    async def watch(self) -> None:
        """Count beats up, and mark those offline whose grace is over, for ever."""
        grace = self._services.times.offline_grace
        while True:
            at = asyncio.get_running_loop().time()
            try:
                await self._services.in_thread(self._look, self._connected(), at, grace)
            except DatabaseAway:
                _log.warning("presence of agents is not known: the database does not answer")
            await asyncio.sleep(grace / 5)

    def _look(self, connected: frozenset[str], at: float, grace: float) -> None:
        database, clock = self._services.database, self._services.clock
        if connected:
            with database.writing() as session:
                for cvm_id in cvms.count_up(session, connected):
                    come_back(session, cvm_id, now=clock())
        with database.reading() as session:
            beats = cvms.beats(session)
        before, self._standing = self._standing, {}
        for cvm_id in beats.keys() - connected:
            beat, since = before.get(cvm_id, (beats[cvm_id], at))
            if beat != beats[cvm_id]:
                beat, since = beats[cvm_id], at
            if at - since < grace:
                self._standing[cvm_id] = (beat, since)
            else:
                with database.writing() as session:
                    leave(session, cvm_id, beat=beat, now=clock())
