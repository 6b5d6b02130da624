"""Tells Prism how a computation goes on.

Source: cocos-grpc.md section 2.3. `details` is an addition of this package: others send it empty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from prism_iac.agent.server._outbox import Outbox
from prism_iac.model import AgentState
from prism_iac.wire.cvms_pb2 import AgentEvent, ClientStreamMessage

__all__ = ["ALGORITHM_RUN", "STOPPED", "Announcer", "EventStatus"]

ALGORITHM_RUN: Final = "AlgorithmRun"
STOPPED: Final = "Stopped"
_ORIGINATOR: Final = "agent"


class EventStatus(StrEnum):
    """How far the event's phase is."""

    IN_PROGRESS = "InProgress"
    STARTING = "Starting"
    WARNING = "Warning"
    COMPLETED = "Completed"
    READY = "Ready"
    FAILED = "Failed"
    STOPPED = "Stopped"


class Announcer:
    """Puts events into the outbox.

    Args:
        now_ns: Nanoseconds since 1970.
    """

    def __init__(self, outbox: Outbox, now_ns: Callable[[], int]) -> None:
        self._outbox = outbox
        self._now_ns = now_ns

    def announce(
        self,
        computation_id: str,
        event_type: AgentState | str,
        status: EventStatus,
        details: Mapping[str, str | int] | None = None,
    ) -> None:
        """Queue one event; `details` go along as JSON."""
        event = AgentEvent(
            event_type=event_type,
            computation_id=computation_id,
            details=json.dumps(details, sort_keys=True).encode() if details else b"",
            originator=_ORIGINATOR,
            status=status,
        )
        event.timestamp.FromNanoseconds(self._now_ns())
        self._outbox.put(ClientStreamMessage(agent_event=event))
