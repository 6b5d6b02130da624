"""A call that was answered, and which error the answer means.

A status alone proves nothing: a gateway or a login page answers with the same numbers. So a refusal is
taken for Prism's own word only in Prism's own form, and "not found" above all.
Source: prism-rest.md section 1.8 and D4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from prism_iac.prism._call import Call, Reply
from prism_iac.prism._errors import (
    AlreadyExists,
    Answer,
    ApiConflict,
    ApiError,
    NotFound,
    PermissionDenied,
    Rejected,
    Unauthenticated,
    Unavailable,
    UnexpectedReply,
)
from prism_iac.prism._json import Malformed, decode
from prism_iac.prism._scrub import shown
from prism_iac.prism.records import DryRun

__all__ = ["Outcome"]

T = TypeVar("T")

_REFUSALS: Final[dict[int, type[ApiError]]] = {
    400: Rejected,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: ApiConflict,
    413: Rejected,
    415: Rejected,
    422: Rejected,
    429: Unavailable,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call and the reply to it.

    Attributes:
        endpoint: The base URL.
        token: What went along with the call; never shown.
    """

    call: Call
    reply: Reply
    endpoint: str
    token: str | None = field(default=None, repr=False)

    def require_success(self) -> None:
        """Refuse any status but 2xx (D3).

        Raises:
            ApiError: Of the class that the status and the body mean.
        """
        if not self.reply.is_success:
            raise self._refusal()

    def parsed(self, parse: Callable[[bytes], T]) -> T:
        """The body, read.

        Raises:
            UnexpectedReply: `parse` raised `Malformed`.
        """
        try:
            return parse(self.reply.body)
        except Malformed as error:
            raise self.unexpected(f"the reply cannot be read: {error}") from error

    def unexpected(self, what: str) -> UnexpectedReply:
        """The error of a reply that is none of Prism's."""
        answer = self._answer()
        words = f': "{answer.server_message}"' if answer.server_message else ""
        return UnexpectedReply(
            f"{what}{words}",
            answer=answer,
            retry_is_safe=self.call.is_safe_to_repeat,
            may_have_happened=self.reply.may_have_happened
            or (self.reply.is_success and self.call.changes_something),
        )

    def _refusal(self) -> ApiError:
        reply, answer = self.reply, self._answer()
        words = f"status {reply.status}" + (f": {answer.server_message}" if answer.server_message else "")
        if reply.is_server_error:
            return Unavailable(
                f"Prism has trouble, {words}",
                answer=answer,
                retry_is_safe=self.call.is_safe_to_repeat,
                may_have_happened=reply.may_have_happened,
            )
        kind = _REFUSALS.get(reply.status)
        if kind is None or not _is_prisms_word(reply):
            return self.unexpected(f"the reply with status {reply.status} is not one of Prism")
        if kind is ApiConflict and self.call.creates:
            kind = AlreadyExists
        error = kind(
            f"refused with {words}",
            answer=answer,
            retry_is_safe=True,
            may_have_happened=reply.may_have_happened,
        )
        if isinstance(error, Rejected):
            error.dry_run = _dry_run(reply)
        return error

    def _answer(self) -> Answer:
        secrets = (*self.call.secrets, self.token or "")
        return Answer(
            method=self.call.method,
            endpoint=self.endpoint,
            path=self.call.path,
            status=self.reply.status,
            server_message=shown(_server_text(self.reply), secrets=secrets),
            request_id=shown(self.reply.headers.get("x-request-id", "")),
        )


def _is_prisms_word(reply: Reply) -> bool:
    if reply.status == 404:  # noqa: PLR2004  # the one status that state is dropped for
        return _refusal_object(reply) is not None
    return reply.media_type != "text/html"


def _refusal_object(reply: Reply) -> Mapping[str, Any] | None:
    """The error body of Prism; None when the body is anything else."""
    document = _document(reply)
    if not isinstance(document, Mapping):
        return None
    return document if any(isinstance(document.get(name), str) for name in ("error", "message")) else None


def _document(reply: Reply) -> object:
    try:
        return decode(reply.body) if reply.is_json else None
    except Malformed:
        return None


def _server_text(reply: Reply) -> str:
    document = _refusal_object(reply)
    if document is None:
        return "" if reply.is_success else reply.body.decode("utf-8", errors="replace")
    error, message = (
        text if isinstance(text := document.get(name), str) else "" for name in ("error", "message")
    )
    return message if error in message else f"{error}: {message}".removesuffix(": ")


def _dry_run(reply: Reply) -> DryRun | None:
    document = _document(reply)
    if not isinstance(document, Mapping) or "missing_items" not in document:
        return None
    try:
        return DryRun.parse(document)
    except Malformed:
        return None
