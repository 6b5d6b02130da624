"""The programs that run now, so that they can be ended before their time."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

from prism_iac.toolchain._host._child import Command, end

__all__ = ["Programs"]


class Programs:
    """Runs programs; there is at most one at a time in practice, and nothing depends on that."""

    def __init__(self) -> None:
        self._running: set[Process] = set()
        self._ended: set[Process] = set()

    async def run(self, command: Command) -> int | None:
        """Run a program to its end; gives its exit code, or None when `end_all` ended it."""
        async with command.started(piped=False) as process:
            self._running.add(process)
            try:
                code = await process.wait()
            finally:
                self._running.discard(process)
        return None if process in self._ended else code

    async def end_all(self) -> None:
        """End every program that runs."""
        self._ended |= self._running
        await asyncio.gather(*map(end, self._running))
