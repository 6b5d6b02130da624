"""What every part of the control stream may use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from prism_iac.backend._clock import Clock
from prism_iac.backend._settings import ControlTimes
from prism_iac.backend.store import Database

__all__ = ["ControlServices"]

Result = TypeVar("Result")

_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class ControlServices:
    """The database, the clocks, and the threads in which the event loop lets the database work."""

    database: Database
    clock: Clock
    times: ControlTimes
    threads: ThreadPoolExecutor = field(
        default_factory=partial(ThreadPoolExecutor, _THREADS, thread_name_prefix="control")
    )

    async def in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Let a thread do what blocks."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, *arguments)
