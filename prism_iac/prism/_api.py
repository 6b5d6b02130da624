"""Calls as one user: the token goes along, a refused one is replaced once, and a refusal becomes an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from prism_iac.prism._call import Call, Reply
from prism_iac.prism._credentials import Credentials, PasswordCredentials, TokenCredentials
from prism_iac.prism._exchange import Exchange
from prism_iac.prism._json import decode
from prism_iac.prism._outcome import Outcome
from prism_iac.prism._paths import join
from prism_iac.prism._tokens import TokenKeeper, TokenPair

__all__ = ["Api"]

T = TypeVar("T")

_UNAUTHENTICATED: Final = 401


class Api:
    """The REST API of one Prism, as one user; safe for use from many threads.

    Args:
        exchange: The way there.
        credentials: Who calls.
        users_path: The base path of the users' service, which issues the tokens.
        keeps_keys: This Prism recognises a repeat by its idempotency key; where it does not, a create is
            never repeated.
    """

    def __init__(
        self, exchange: Exchange, credentials: Credentials, *, users_path: str, keeps_keys: bool
    ) -> None:
        self._exchange = exchange
        self._keeps_keys = keeps_keys
        self._tokens_path = join(users_path, "tokens")
        self._tokens = self._keeper(credentials)

    @property
    def endpoint(self) -> str:
        """The base URL."""
        return self._exchange.wire.endpoint

    def send(self, call: Call) -> Outcome:
        """Make a call whose success is what matters; its body is empty or JSON.

        Raises:
            ApiError: The call did not end as documented.
        """
        outcome = self._outcome(call)
        if outcome.reply.body.strip() and not outcome.reply.is_json:
            raise outcome.unexpected("the reply is no JSON")
        return outcome

    def fetch(self, call: Call, parse: Callable[[object], T]) -> T:
        """Make a call and read the JSON document that it returns.

        Raises:
            ApiError: The call did not end as documented, or returned no such document.
        """
        return _read(self._outcome(call), parse)

    def download(self, call: Call, parse: Callable[[bytes], T]) -> T:
        """Make a call and read the bytes that it returns.

        Raises:
            ApiError: The call did not end as documented, or returned something else.
        """
        return self._outcome(call).parsed(parse)

    def _outcome(self, call: Call) -> Outcome:
        """A successful outcome."""
        if call.idempotency_key is not None and not self._keeps_keys:
            call = call.once()
        if not call.authenticated:
            return self._exchanged(call, None)
        token = self._tokens.access()
        reply = self._exchange.reply_to(call, token)
        if reply.status == _UNAUTHENTICATED:
            fresh = self._tokens.replacing(token)
            if fresh != token:
                return self._exchanged(call, fresh)
        return self._successful(call, reply, token)

    def _exchanged(self, call: Call, token: str | None) -> Outcome:
        return self._successful(call, self._exchange.reply_to(call, token), token)

    def _successful(self, call: Call, reply: Reply, token: str | None) -> Outcome:
        outcome = Outcome(call, reply, self.endpoint, token)
        outcome.require_success()
        return outcome

    def _keeper(self, credentials: Credentials) -> TokenKeeper:
        match credentials:
            case PasswordCredentials():
                first = TokenPair(credentials.access_token) if credentials.access_token else None
                return TokenKeeper(lambda: self._issue(credentials), self._refresh, first=first)
            case TokenCredentials(token):
                return TokenKeeper(lambda: TokenPair(token))

    def _issue(self, credentials: PasswordCredentials) -> TokenPair:
        body = {"username": credentials.username, "password": credentials.password}
        call = Call("POST", join(self._tokens_path, "issue"), body=body, authenticated=False)
        return self.fetch(call.harmless_twice().hiding(credentials.password), TokenPair.parse)

    def _refresh(self, refresh_token: str) -> TokenPair:
        call = Call("POST", join(self._tokens_path, "refresh")).harmless_twice()
        return _read(self._exchanged(call, refresh_token), TokenPair.parse)


def _read(outcome: Outcome, parse: Callable[[object], T]) -> T:
    if not outcome.reply.is_json:
        raise outcome.unexpected("the reply is no JSON")
    return outcome.parsed(lambda body: parse(decode(body)))
