"""Lines of result and messages; nothing that takes time to import."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["emit", "say"]


def emit(text: str) -> None:
    """Write lines of result, at once."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _end_quietly()


def say(text: str) -> None:
    """Write a message for people to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _end_quietly() -> NoReturn:
    from prism_iac.cli._exit_code import ExitCode

    # The interpreter flushes once more at its end and must not fail then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(ExitCode.BROKEN_PIPE)
