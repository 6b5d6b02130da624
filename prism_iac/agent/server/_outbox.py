"""Messages to Prism, in order, kept until Prism has them.

Events, run results and stop answers also lie on disk until then, so neither a crash nor a long outage loses
one. The protocol acknowledges nothing: a message counts as delivered once the peer has said something on the
same stream two seconds or more after it was written. What is written again after a broken stream may
therefore arrive twice; type, status and timestamp tell.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from google.protobuf.message import DecodeError

from prism_iac.wire.cvms_pb2 import ClientStreamMessage

__all__ = ["Entry", "Outbox"]

_KEPT: Final = frozenset({"agent_event", "run_res", "stopComputationRes"})
"""What is kept on disk."""

_OF_THE_MOMENT: Final = frozenset({"agentStateRes"})
"""What is worth nothing on another stream."""

_LOG: Final = "agent_log"
_DELIVERED_AFTER_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Entry:
    """A message on its way.

    Attributes:
        file: Where it lies on disk; None when only memory has it.
        written_at: When it was last written to a stream.
    """

    message: ClientStreamMessage
    file: Path | None = None
    written_at: float = 0.0

    @property
    def kind(self) -> str:
        """The name of the message's field."""
        return self.message.WhichOneof("message") or ""


class Outbox:
    """The queue between the agent and its control stream; used from the event loop's thread only.

    Args:
        folder: Where messages are kept; what an earlier process left there is taken up.
        now: Monotonic seconds.
        most_logs: How many log lines wait in memory; beyond it the oldest are dropped and counted.
    """

    def __init__(self, folder: Path, *, now: Callable[[], float], most_logs: int = 10_000) -> None:
        self._folder = folder
        self._now = now
        self._most_logs = most_logs
        self._logs = 0
        self._waiting: deque[Entry] = deque()
        self._unconfirmed: deque[Entry] = deque()
        self._something_waits = asyncio.Event()
        self._next_number = 0
        self.dropped_logs = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._take_up_what_is_left()

    def put(self, message: ClientStreamMessage) -> None:
        """Queue a message."""
        entry = Entry(message)
        if entry.kind in _KEPT:
            entry.file = self._keep(message)
        if entry.kind == _LOG:
            self._make_room_for_a_log()
        self._append(entry)

    async def next(self) -> Entry:
        """The oldest message not written on this stream yet; it stays until `written` is called."""
        while not self._waiting:
            self._something_waits.clear()
            await self._something_waits.wait()
        return self._waiting[0]

    def written(self, entry: Entry) -> None:
        """Take note that a message went into the stream."""
        if self._waiting and self._waiting[0] is entry:
            self._waiting.popleft()
            self._logs -= entry.kind == _LOG
        if entry.kind in _KEPT:
            entry.written_at = self._now()
            self._unconfirmed.append(entry)

    def peer_spoke(self) -> None:
        """Take note that the peer is there: what was written long enough ago has arrived."""
        arrived_before = self._now() - _DELIVERED_AFTER_SECONDS
        while self._unconfirmed and self._unconfirmed[0].written_at <= arrived_before:
            entry = self._unconfirmed.popleft()
            if entry.file is not None:
                entry.file.unlink(missing_ok=True)

    def begin_stream(self) -> None:
        """Prepare for another stream: what may not have arrived comes first."""
        self._waiting = deque(entry for entry in self._waiting if entry.kind not in _OF_THE_MOMENT)
        self._waiting.extendleft(reversed(self._unconfirmed))
        self._unconfirmed.clear()
        if self._waiting:
            self._something_waits.set()

    def _append(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._something_waits.set()

    def _make_room_for_a_log(self) -> None:
        if self._logs < self._most_logs:
            self._logs += 1
            return
        oldest = next(index for index, entry in enumerate(self._waiting) if entry.kind == _LOG)
        del self._waiting[oldest]
        self.dropped_logs += 1

    def _keep(self, message: ClientStreamMessage) -> Path | None:
        file = self._folder / f"{self._next_number:012d}"
        part = file.with_suffix(".part")
        self._next_number += 1
        try:
            part.write_bytes(message.SerializeToString())
            part.rename(file)
        except OSError as error:
            _log.warning("a message is kept in memory only", reason=error.strerror)
            return None
        return file

    def _take_up_what_is_left(self) -> None:
        for part in self._folder.glob("*.part"):
            part.unlink()
        for file in sorted(self._folder.iterdir()):
            self._next_number = int(file.name) + 1
            try:
                self._append(Entry(ClientStreamMessage.FromString(file.read_bytes()), file))
            except DecodeError:
                _log.warning("an undelivered message is damaged and was dropped", file=file.name)
                file.unlink()
