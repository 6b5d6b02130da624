"""Why a request is refused: one class for each HTTP status that a route documents.

    PrismError
    └── Refusal              answered with `{"error", "message"}` and the class's status (D4)
        ├── Malformed        400
        ├── Unauthenticated  401
        ├── Forbidden        403
        ├── Missing          404
        ├── Clash            409 (also a Conflict)
        ├── TooLarge         413
        ├── WrongContentType 415
        ├── NotRunnable      422
        ├── TooManyAttempts  429
        └── NotReady         503

`AlreadyRunning` and `StartFailure` are about the process, not about a request.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from prism_iac.errors import Conflict, PrismError

__all__ = [
    "REFUSALS",
    "AlreadyRunning",
    "Clash",
    "Forbidden",
    "Malformed",
    "Missing",
    "NotReady",
    "NotRunnable",
    "Refusal",
    "StartFailure",
    "TooLarge",
    "TooManyAttempts",
    "Unauthenticated",
    "WrongContentType",
]


class Refusal(PrismError):
    """A request that is answered with an error.

    Attributes:
        status: The HTTP status.
        meaning: What the status means in this API, for the API's description.
        retry_after: How long the caller should wait; None where waiting changes nothing.
    """

    status: ClassVar[int]
    meaning: ClassVar[str]
    retry_after: timedelta | None = None


class Malformed(Refusal):
    """A parameter or a field does not have the documented form."""

    status = 400
    meaning = "A parameter or a field does not have the documented form."


class Unauthenticated(Refusal):
    """There is no valid token, or the login failed."""

    status = 401
    meaning = "There is no valid token, or the login failed."


class Forbidden(Refusal):
    """The caller's roles do not allow it."""

    status = 403
    meaning = "The caller's roles do not allow it."


class Missing(Refusal):
    """The id is unknown here; things of a workspace look so to everyone who is not a member."""

    status = 404
    meaning = "The id is unknown, or belongs to a workspace that the caller is not a member of."


class Clash(Refusal, Conflict):
    """The state of the thing, or another thing, stands against it."""

    status = 409
    meaning = "The state of the thing, or another thing, stands against it."


class TooLarge(Refusal):
    """The body or the sample is larger than allowed."""

    status = 413
    meaning = "The body, or the sample in it, is larger than allowed."


class WrongContentType(Refusal):
    """The body is not of the type that the route reads."""

    status = 415
    meaning = "The body is not of the type that the route reads."


class NotRunnable(Refusal):
    """The computation lacks something that a run or a manifest needs.

    Attributes:
        missing_items: What is missing, by kind (D21).
    """

    status = 422
    meaning = "The computation lacks something that a run needs."

    def __init__(self, message: str, *, missing_items: dict[str, list[str]], next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.missing_items = missing_items


class TooManyAttempts(Refusal):
    """Too many logins to one account failed, or are under way."""

    status = 429
    meaning = "Too many logins to this account failed; wait before the next one."

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message, next_step=f"Wait {int(retry_after.total_seconds())} seconds.")
        self.retry_after = retry_after


class NotReady(Refusal):
    """The server cannot answer at the moment."""

    status = 503
    meaning = "The server cannot answer at the moment; a repeat is safe."
    retry_after = timedelta(seconds=1)


REFUSALS: dict[int, type[Refusal]] = {
    refusal.status: refusal
    for refusal in (
        Malformed,
        Unauthenticated,
        Forbidden,
        Missing,
        Clash,
        TooLarge,
        WrongContentType,
        NotRunnable,
        TooManyAttempts,
        NotReady,
    )
}
"""Every refusal by its status."""


class AlreadyRunning(Conflict):
    """Another process serves this data folder."""


class StartFailure(PrismError):
    """The backend could not start; the message says why."""
