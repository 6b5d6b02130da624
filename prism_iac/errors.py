"""Every error the package raises on purpose, split by what its reader can do about it.

    PrismError
    ├── InvalidInput         a file or an argument is wrong: edit it (carries every finding)
    ├── Conflict             someone else changed it, or a rule forbids the change: decide
    ├── RemoteFailure        a peer refused or did not answer: retry where that is safe
    ├── PartialResult        it exists but is not ready: the next run resumes
    ├── VerificationFailure  evidence does not meet the policy: never retried
    └── Defect               ours: please report it

Each message says what happened, where, and what to do next. No message carries a secret.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = [
    "Conflict",
    "Defect",
    "FailedClaim",
    "Finding",
    "InvalidInput",
    "PartialResult",
    "PrismError",
    "RemoteFailure",
    "VerificationFailure",
    "refusal_of_system",
]

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class PrismError(Exception):
    """The root of every error that the package raises on purpose.

    Attributes:
        message: What happened, one sentence.
        where: A place: `file:line:column`, a resource's logical name, or a method and URL.
        next_step: What the reader does now.
    """

    def __init__(self, message: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        """`where: message`, and the next step on an indented line of its own."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  {self.next_step}" if self.next_step else head


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong with what somebody wrote.

    Attributes:
        file: The file as the user named it; empty when the value came from code.
        line: Counted from 1; 0 when there is no file.
        column: Counted from 1; 0 when there is no file.
        path: The field, such as `computations.iris-regression.datasets[0]`.
        message: What is wrong, without the place.
        fix: What to write instead.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    message: str = ""
    fix: str = ""

    def __str__(self) -> str:
        """`file:line:column: path: message`, and the fix on an indented line of its own."""
        place = f"{self.file}:{self.line}:{self.column}" if self.file else ""
        head = ": ".join(part for part in (place, self.path, self.message) if part)
        return f"{head}\n  {self.fix}" if self.fix else head


class InvalidInput(PrismError):
    """What somebody wrote is wrong; `findings` holds all of it, sorted by place."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: Sequence[Finding] = tuple(sorted(findings))
        super().__init__("\n".join(str(finding) for finding in self.findings))


class Conflict(PrismError):
    """A rule or someone else's change stands against this one."""


class RemoteFailure(PrismError):
    """A peer refused or did not answer.

    Attributes:
        retry_is_safe: A repeat cannot do the work twice.
    """

    def __init__(
        self, message: str, *, where: str = "", next_step: str = "", retry_is_safe: bool = False
    ) -> None:
        super().__init__(message, where=where, next_step=next_step)
        self.retry_is_safe = retry_is_safe


class PartialResult(PrismError):
    """The object exists but is not what was asked for yet; a later run takes it up again.

    Attributes:
        id: The object's identity at its peer.
        state: What is known of it, as properties.
    """

    def __init__(
        self,
        message: str,
        *,
        id: str,  # noqa: A002  # the engine's word
        state: Mapping[str, Any],
        where: str = "",
        next_step: str = "",
    ) -> None:
        super().__init__(message, where=where, next_step=next_step)
        self.id = id
        self.state = dict(state)


@dataclass(frozen=True, slots=True)
class FailedClaim:
    """One claim of the evidence that the appraisal policy does not accept."""

    claim: str
    expected: str
    found: str

    def __str__(self) -> str:
        """`claim is found, the policy wants expected`."""
        return f"{self.claim} is {self.found}, the policy wants {self.expected}"


class VerificationFailure(PrismError):
    """Evidence does not meet the policy; `failed` holds every claim that does not."""

    def __init__(
        self, message: str, *, failed: Iterable[FailedClaim] = (), where: str = "", next_step: str = ""
    ) -> None:
        self.failed: Sequence[FailedClaim] = tuple(failed)
        detail = "; ".join(str(claim) for claim in self.failed)
        super().__init__(f"{message}: {detail}" if detail else message, where=where, next_step=next_step)


class Defect(PrismError):
    """Our own invariant does not hold."""

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(message, where=where, next_step="This is a defect of prism-iac: please report it.")


def refusal_of_system(error: OSError) -> Conflict | None:
    """What the operating system refused to do with a file; None where the error is about none.

    A write that finds no room does not say to which file.
    """
    if error.strerror is None or (error.filename is None and error.errno not in _NO_ROOM):
        return None
    return Conflict(
        error.strerror,
        where="" if error.filename is None else str(error.filename),
        next_step="Make room, and run it again."
        if error.errno in _NO_ROOM
        else "Check the path and its rights.",
    )
