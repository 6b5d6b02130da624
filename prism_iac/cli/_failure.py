"""How a failure is told, and which exit code it has. Imported when there is one."""

from __future__ import annotations

import traceback
from typing import Final

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import printable, say
from prism_iac.errors import (
    Conflict,
    Defect,
    InvalidInput,
    PartialResult,
    PrismError,
    RemoteFailure,
    VerificationFailure,
    refusal_of_system,
)
from prism_iac.prism import NotFound, PermissionDenied, Rejected, Unauthenticated

__all__ = ["EXIT_CODES", "exit_code_of", "tell"]

TRACEBACK_VARIABLE: Final = "PRISM_IAC_TRACEBACK"

EXIT_CODES: Final[tuple[tuple[type[PrismError], ExitCode], ...]] = (
    (VerificationFailure, ExitCode.VERIFICATION),
    (InvalidInput, ExitCode.REFUSED),
    (Conflict, ExitCode.REFUSED),
    # Prism answered, and will answer the same to a repeat.
    (NotFound, ExitCode.REFUSED),
    (PermissionDenied, ExitCode.REFUSED),
    (Rejected, ExitCode.REFUSED),
    (Unauthenticated, ExitCode.REFUSED),
    (PartialResult, ExitCode.REMOTE),
    (RemoteFailure, ExitCode.REMOTE),
    (Defect, ExitCode.DEFECT),
    (PrismError, ExitCode.REFUSED),
)
"""The exit code of every branch of errors; the first row that fits counts."""


def exit_code_of(error: PrismError) -> ExitCode:
    """The exit code of an error of this package."""
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))


def tell(error: Exception, *, with_traceback: bool) -> ExitCode:
    """Print a failure to standard error and give its exit code.

    Args:
        error: What a command raised.
        with_traceback: Print where it was raised, too.
    """
    if with_traceback:
        say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, OSError):
        error = refusal_of_system(error) or error
    if isinstance(error, PrismError):
        say(printable(str(error), keep_lines=True))
        return exit_code_of(error)
    say(
        f"a defect of prism-iac: {type(error).__name__}\n"
        f"  Please report it, with what it says when {TRACEBACK_VARIABLE}=1 is set."
    )
    return ExitCode.DEFECT
