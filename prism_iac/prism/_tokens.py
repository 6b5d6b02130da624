"""Keeps one access token fresh for many threads.

Source: prism-rest.md section 1.2, U2, U3, D9, D10.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self

from prism_iac.prism._credentials import is_bearer_token
from prism_iac.prism._errors import ApiError
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed

__all__ = ["TokenKeeper", "TokenPair"]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login gives.

    Attributes:
        refresh: None when there is nothing to renew the access token with.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read the reply of issue or refresh; `access_type` is not needed (D10)."""
        fields = Fields(document, "a token reply")
        access, refresh = fields.identity("access_token"), fields.optional_text("refresh_token")
        if not all(is_bearer_token(token) for token in (access, refresh) if token is not None):
            raise Malformed("a token reply holds what can be no token")
        return cls(access, refresh)


class TokenKeeper:
    """The current access token; at most one renewal is under way at a time.

    Args:
        issue: Logs in.
        refresh: Trades a refresh token for a new pair; None when there is only one ready token.
        first: What to begin with, in place of a login.
    """

    def __init__(
        self,
        issue: Callable[[], TokenPair],
        refresh: Callable[[str], TokenPair] | None = None,
        *,
        first: TokenPair | None = None,
    ) -> None:
        self._issue = issue
        self._refresh = refresh
        self._lock = threading.Lock()
        self._pair = first
        self._renewal: Future[TokenPair] | None = None

    def access(self) -> str:
        """The current access token; logs in on first use unless there is one to begin with.

        Raises:
            ApiError: Prism does not accept the credentials, or does not answer.
        """
        return self.replacing(None)

    def replacing(self, refused: str | None) -> str:
        """An access token other than one that was refused; threads that ask at once share one renewal.

        Raises:
            ApiError: Prism gives no new token.
        """
        with self._lock:
            if self._pair is not None and self._pair.access != refused:
                return self._pair.access
            renewal, mine = self._renewal, self._renewal is None
            if renewal is None:
                renewal = self._renewal = Future()
        if mine:
            self._renew(renewal)
        return renewal.result().access

    def _renew(self, renewal: Future[TokenPair]) -> None:
        try:
            pair = self._new_pair(self._pair)
        except BaseException as error:  # noqa: BLE001  # handed to every thread that waits, this one included
            with self._lock:
                self._renewal = None
            renewal.set_exception(error)
        else:
            with self._lock:
                self._pair, self._renewal = pair, None
            renewal.set_result(pair)

    def _new_pair(self, old: TokenPair | None) -> TokenPair:
        if old is not None and old.refresh is not None and self._refresh is not None:
            try:
                return self._refresh(old.refresh)
            except ApiError as error:
                # The refresh token may be over; the password is not. Where nobody answers, it does not help.
                if error.status is None:
                    raise
        return self._issue()
