"""What the engine is told of an exception, at either face."""

from __future__ import annotations

import os
import traceback

from prism_iac.errors import Defect, PrismError, refusal_of_system

__all__ = ["as_ours", "message_of"]


def as_ours(error: BaseException, *, call: str) -> PrismError:
    """The error itself; that of a file as a refusal, and one of anybody else as the defect that it is.

    Args:
        error: What is being handled.
        call: What the engine asked for.
    """
    if isinstance(error, PrismError):
        return error
    if isinstance(error, OSError) and (refusal := refusal_of_system(error)) is not None:
        return refusal
    return Defect(f"{call} failed: {type(error).__name__}: {error}")


def message_of(error: PrismError) -> str:
    """One plain message; with PRISM_IAC_TRACEBACK set, the traceback of what is being handled below it."""
    return f"{error}\n{traceback.format_exc()}" if os.environ.get("PRISM_IAC_TRACEBACK") else str(error)
