"""Marks CVMs offline whose agents stay away for too long."""

from __future__ import annotations

import asyncio

from prism_iac.backend.control.presence import fail_runs_of_removed_cvms, leave
from prism_iac.backend.control.services import ControlServices
from prism_iac.backend.store import cvms

__all__ = ["Absences"]


class Absences:
    """Which agents are away, and since when (in the loop's time)."""

    def __init__(self, services: ControlServices) -> None:
        self._services = services
        self._since: dict[str, float] = {}

    def begin(self, cvm_id: str) -> None:
        """Note that a CVM's last stream has ended."""
        self._since[cvm_id] = asyncio.get_running_loop().time()

    def end(self, cvm_id: str) -> None:
        """Note that a CVM's agent is here."""
        self._since.pop(cvm_id, None)

    async def take_up(self) -> None:
        """Go on where an earlier process stopped: its agents have the whole grace to come back."""
        for cvm_id in await self._services.in_thread(self._read):
            self.begin(cvm_id)

    async def watch(self) -> None:
        """Mark those offline whose grace is over, for ever."""
        grace = self._services.times.offline_grace
        while True:
            await asyncio.sleep(grace / 5)
            now = asyncio.get_running_loop().time()
            for cvm_id in [key for key, since in self._since.items() if now - since >= grace]:
                del self._since[cvm_id]
                await self._services.in_thread(self._leave, cvm_id)

    def _read(self) -> list[str]:
        with self._services.database.writing() as session:
            fail_runs_of_removed_cvms(session, now=self._services.clock())
            return [cvm.id for cvm in cvms.online(session)]

    def _leave(self, cvm_id: str) -> None:
        with self._services.database.writing() as session:
            leave(session, cvm_id, now=self._services.clock())
