"""One call of the REST API and the reply to it, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

__all__ = ["Call", "Reply"]

_REPEATABLE_METHODS: Final = frozenset({"GET", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is still to be made.

    Attributes:
        path: Below the endpoint, quoted.
        body: A JSON value, or bytes of `content_type`; None sends no body.
        accept: The media type that is asked for.
        content_type: The media type of the body.
        authenticated: The access token goes with it.
        creates: It makes something, so that a conflict means that this is there already.
        repeatable: A repeat cannot do the work twice; None leaves it to the method.
        idempotency_key: Lets a Prism that keeps keys recognise a repeat.
        secrets: What the body holds that no message may show.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    body: Any = field(default=None, repr=False, hash=False)
    accept: str = "application/json"
    content_type: str = "application/json"
    authenticated: bool = True
    creates: bool = False
    repeatable: bool | None = None
    idempotency_key: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_safe_to_repeat(self) -> bool:
        """Whether a second one does no harm when the fate of the first is not known."""
        if self.repeatable is not None:
            return self.repeatable
        return self.method in _REPEATABLE_METHODS or self.idempotency_key is not None

    @property
    def changes_something(self) -> bool:
        """Whether it matters that it may have been done."""
        return self.method != "GET" or self.repeatable is False

    def keyed(self, idempotency_key: str | None) -> Self:
        """The same call under a key by which a repeat is recognised."""
        return replace(self, idempotency_key=idempotency_key)

    def creating(self, idempotency_key: str | None = None) -> Self:
        """The same call as one that makes something."""
        return replace(self.keyed(idempotency_key), creates=True)

    def harmless_twice(self) -> Self:
        """The same call, known to end in the same state when it is made twice."""
        return replace(self, repeatable=True)

    def once(self) -> Self:
        """The same call, never to be repeated."""
        return replace(self, repeatable=False)

    def hiding(self, *secrets: str) -> Self:
        """The same call with values that no message may show; of a PEM text each line counts."""
        lines = [line for secret in secrets for line in secret.splitlines() if not line.startswith("-----")]
        return replace(self, secrets=(*self.secrets, *secrets, *lines))


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply of any status.

    Attributes:
        headers: By lower-case name.
        body: Decoded from the transfer, not yet from JSON.
        may_have_happened: The call changes something, and this or an earlier attempt at it may have done so.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False, hash=False)
    body: bytes = field(repr=False)
    may_have_happened: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the status is any 2xx (D3)."""
        return 200 <= self.status < 300  # noqa: PLR2004  # RFC 9110 section 15.3

    @property
    def is_server_error(self) -> bool:
        """Whether the server has trouble of its own."""
        return self.status >= 500  # noqa: PLR2004  # RFC 9110 section 15.6

    @property
    def media_type(self) -> str:
        """The media type without parameters, lower case; empty when none is given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the body says that it is JSON (RFC 6839 section 3.1)."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")
