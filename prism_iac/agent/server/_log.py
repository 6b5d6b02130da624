"""The agent's log: JSON lines on standard error, and the same as messages to Prism.

Source: cocos-grpc.md section 5.4.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from prism_iac.agent.server._outbox import Outbox
from prism_iac.agent.server._pieces import pieces_of
from prism_iac.model import LogLevel
from prism_iac.wire.cvms_pb2 import AgentLog, ClientStreamMessage

__all__ = ["LogForwarder", "configure_log"]

_PIECE_BYTES: Final = 500

_RANK: Final = {
    "debug": 0,
    "info": 1,
    "warn": 2,
    "warning": 2,
    "error": 3,
    "exception": 3,
}
_WIRE_LEVELS: Final = ("DEBUG", "INFO", "WARN", "ERROR")


class LogForwarder:
    """Drops what is below the level and puts the rest into the outbox as well.

    Attributes:
        level: The least level; a computation may change it while it lasts.
        computation_id: The computation that lines belong to; empty between computations.
    """

    def __init__(self, outbox: Outbox, *, level: LogLevel, now_ns: Callable[[], int]) -> None:
        self._outbox = outbox
        self._now_ns = now_ns
        self.level = level
        self.computation_id = ""

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Forward one line; the signature is that of a structlog processor."""
        del logger
        rank = _RANK[method]
        if rank < _RANK[self.level]:
            raise structlog.DropEvent
        moment = self._now_ns()
        for piece in pieces_of(_line(event).encode("utf-8", "replace"), _PIECE_BYTES):
            line = AgentLog(message=piece, computation_id=self.computation_id, level=_WIRE_LEVELS[rank])
            line.timestamp.FromNanoseconds(moment)
            self._outbox.put(ClientStreamMessage(agent_log=line))
        return event


def configure_log(forwarder: LogForwarder) -> None:
    """Send every line of the process through the forwarder and to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            forwarder,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _line(event: EventDict) -> str:
    return " ".join((str(event["event"]), *_attributes(event)))


def _attributes(event: EventDict) -> Iterator[str]:
    for name, value in event.items():
        if name not in ("event", "level", "exc_info"):
            yield f"{name}={value}"
