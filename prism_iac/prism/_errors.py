"""What can go wrong with a call of the Prism REST API, split by what the caller can do.

    RemoteFailure
    └── ApiError               a call that did not end as documented
        ├── NotFound           Prism has no such thing for this user: drop it, or look elsewhere
        ├── ApiConflict        a rule or someone else's change forbids it (also a Conflict): decide
        │   └── AlreadyExists  what a create would make is there already: adopt it, or rename
        ├── Unauthenticated    the credentials are not accepted: give others
        ├── PermissionDenied   the user lacks a right: ask for it
        ├── Rejected           the request is wrong as it stands: edit (may carry a dry run)
        ├── Unavailable        no answer in time, or Prism has trouble: try again later
        └── UnexpectedReply    what answered does not speak Prism's API: check the endpoint

Texts that came from the server are scrubbed of secrets and shortened before they get here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prism_iac.errors import Conflict, RemoteFailure

if TYPE_CHECKING:
    from prism_iac.prism.records import DryRun

__all__ = [
    "AlreadyExists",
    "Answer",
    "ApiConflict",
    "ApiError",
    "NotFound",
    "PermissionDenied",
    "Rejected",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedReply",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was called and what came back.

    Attributes:
        method: The HTTP method.
        endpoint: The base URL of Prism.
        path: The path below the endpoint, without the query.
        status: The HTTP status; None when no whole answer came.
        server_message: What the server said, safe to show; empty when it said nothing.
        request_id: The server's name for the exchange; empty when it gave none.
    """

    method: str
    endpoint: str
    path: str
    status: int | None = None
    server_message: str = ""
    request_id: str = ""


class ApiError(RemoteFailure):
    """A call of the Prism REST API that did not end as documented.

    Attributes:
        answer: What was called and what came back.
        may_have_happened: The call changes something, and Prism may have done it.
    """

    advice: ClassVar[str] = "Look at Prism's log for this request."

    def __init__(
        self,
        message: str,
        *,
        answer: Answer,
        next_step: str = "",
        retry_is_safe: bool = False,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(
            message,
            where=f"{answer.method} {answer.endpoint}{answer.path}",
            next_step=next_step or self.advice,
            retry_is_safe=retry_is_safe,
        )
        self.answer = answer
        self.may_have_happened = may_have_happened

    def __str__(self) -> str:
        """The message, the next step, and whether to look first."""
        doubt = "\n  It may have been done all the same." if self.may_have_happened else ""
        return f"{super().__str__()}{doubt}"

    @property
    def method(self) -> str:
        """The HTTP method of the call."""
        return self.answer.method

    @property
    def path(self) -> str:
        """The path of the call below the endpoint, without the query."""
        return self.answer.path

    @property
    def status(self) -> int | None:
        """The HTTP status; None when no whole answer came."""
        return self.answer.status

    @property
    def server_message(self) -> str:
        """What the server said; empty when it said nothing."""
        return self.answer.server_message

    @property
    def request_id(self) -> str:
        """The server's name for the exchange, to be found in its log; empty when it gave none."""
        return self.answer.request_id


class NotFound(ApiError):
    """Prism itself says that there is no such thing for this user; a gateway's 404 is never this."""

    advice = "Check the id and that the user belongs to the workspace."


class ApiConflict(ApiError, Conflict):
    """The state of things at Prism stands against the call."""

    advice = "Look at what stands there, and decide which of the two should give way."


class AlreadyExists(ApiConflict):
    """A create would make what is there already."""

    advice = "Choose another name, or take over what exists."


class Unauthenticated(ApiError):
    """Prism does not accept the credentials."""

    advice = "Check the user name and password, or get a fresh token."


class PermissionDenied(ApiError):
    """The user is known and may not do this."""

    advice = "Ask an administrator of the workspace for a role that allows it."


class Rejected(ApiError):
    """The request is wrong as it stands; the same request will be refused again.

    Attributes:
        dry_run: What is missing for a run, where that is why.
    """

    advice = "Correct what the message names, and try again."

    dry_run: DryRun | None = None


class Unavailable(ApiError):
    """No answer came in time, or Prism has trouble; `may_have_happened` says whether to look first."""

    advice = "Check that Prism is running and can be reached, then try again."


class UnexpectedReply(ApiError):
    """The answer is no answer of Prism: an HTML page, broken JSON, too much of it, a redirect, a stranger."""

    advice = "Check that the endpoint is Prism's REST API and not a gateway, a proxy or a login page."
