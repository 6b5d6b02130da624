"""What an exit code of `prism-iac` says."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["MEANINGS", "ExitCode"]


class ExitCode(IntEnum):
    """How a command ended; scripts branch on it."""

    FINE = 0
    REFUSED = 1
    USAGE = 2
    REMOTE = 3
    VERIFICATION = 4
    DEFECT = 70
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS: Final = {
    ExitCode.FINE: "fine",
    ExitCode.REFUSED: "findings, or a rule or a peer refused",
    ExitCode.USAGE: "wrong use of the command line",
    ExitCode.REMOTE: "a peer failed or did not answer; a later try may help",
    ExitCode.VERIFICATION: "something is not what it must be; do not use it",
    ExitCode.DEFECT: "a defect of prism-iac; please report it",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.BROKEN_PIPE: "whoever read the output went away",
}
