"""One open stream of an agent, and what is remembered of it while it lasts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from prism_iac.backend.control.log_text import LogText
from prism_iac.model import AgentState

__all__ = ["Stream"]


@dataclass(eq=False, slots=True)
class Stream:
    """One open stream.

    Attributes:
        serial: Of the client certificate, decimal; empty where there is none.
        takes_commands: Not a log forwarder's, which listens to nothing.
        is_private: Nobody on the way can read it.
        state: What the agent last said here; None before the first word and after a stop.
        idle_answers: How many times in a row it said that it awaits a manifest, though it had taken one.
        manifest_sent_at: When this stream last carried a manifest, in the loop's time.
        stop_sent_at: When this stream last carried a stop, in the loop's time.
        came: How many messages have come.
        recorded: How many of them are in the database.
        dropped: Why the server ends the stream, or is about to; empty while it does not.
    """

    cvm_id: str
    serial: str
    takes_commands: bool
    is_private: bool = True
    text: LogText = field(default_factory=LogText)
    state: AgentState | None = None
    idle_answers: int = 0
    manifest_sent_at: float | None = None
    stop_sent_at: float | None = None
    came: int = 0
    recorded: int = 0
    dropped: str = ""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    progress: asyncio.Event = field(default_factory=asyncio.Event)

    def note_recorded(self, count: int) -> None:
        """Take note that some more messages are in the database."""
        self.recorded += count
        self.progress.set()

    async def until_recorded(self) -> None:
        """Wait until all that has come so far is in the database."""
        came = self.came
        while self.recorded < came:
            self.progress.clear()
            await self.progress.wait()

    def dismiss(self, reason: str) -> None:
        """Have the agent told its last orders, after which the stream is dropped."""
        self.dropped = self.dropped or reason
        self.woken.set()

    def drop(self, reason: str) -> None:
        """End the stream from the server's side; the first reason stays."""
        self.dropped = self.dropped or reason
        self.ended.set()
