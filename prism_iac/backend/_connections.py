"""Connections of the REST side: how long clients may take, and how many there may be.

The server by itself waits for ever: for a request that drips, and for a client that does not read its answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Patience", "PatientProtocol"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.rest")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may take.

    Attributes:
        request_seconds: From the connection, or the first byte, to the last byte of a request.
        answer_seconds: From there to the last byte of the answer, our own work included.
        most_connections: Beyond it, requests are answered with 503, and half as many more are cut off.
    """

    request_seconds: float = 60.0
    answer_seconds: float = 120.0
    most_connections: int = 512


class _Phase(Enum):
    REQUEST = auto()
    ANSWER = auto()
    IDLE = auto()
    """Between two requests, where the server has a timer of its own."""


class PatientProtocol(H11Protocol):
    """The server's own protocol, with an end to each phase of a connection."""

    patience: ClassVar[Patience] = Patience()

    _phase: _Phase = _Phase.IDLE
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin the first request's time."""
        super().connection_made(transport)
        if len(self.connections) > self.patience.most_connections * 3 // 2:
            self._give_up("too many connections")
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time."""
        self._stop_the_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a piece of a request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request, or the end."""
        super().on_response_complete()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection, whose last answer may still be on its way."""
        super().timeout_keep_alive_handler()
        self._watch()

    def _watch(self) -> None:
        phase = self._current_phase()
        if phase is self._phase:
            return
        self._phase = phase
        self._stop_the_time()
        if phase is not _Phase.IDLE:
            patience = self.patience
            seconds = patience.request_seconds if phase is _Phase.REQUEST else patience.answer_seconds
            self._deadline = self.loop.call_later(
                seconds, self._give_up, f"its {phase.name.lower()} took too long"
            )

    def _current_phase(self) -> _Phase:
        if self.transport.is_closing():
            return _Phase.ANSWER
        if self.timeout_keep_alive_task is not None:
            return _Phase.IDLE
        return _Phase.REQUEST if self.conn.their_state in (h11.IDLE, h11.SEND_BODY) else _Phase.ANSWER

    def _stop_the_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self, reason: str) -> None:
        _log.warning("connection given up", reason=reason)
        self.transport.abort()
