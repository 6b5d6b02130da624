"""Structured logs: one JSON object for each line."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

__all__ = ["configure_logging"]


class _Forward(logging.Handler):
    """Hands the records of libraries to the structured log."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


_LIBRARIES_LEVEL: Final = logging.WARNING


def configure_logging() -> None:
    """Log to standard error, libraries from warnings on."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_Forward()]
    root.setLevel(_LIBRARIES_LEVEL)
