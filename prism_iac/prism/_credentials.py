"""Who calls Prism: a user with a password, or the bearer of a token (prism-rest.md D9, D12)."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from prism_iac.errors import Finding, InvalidInput

__all__ = ["Credentials", "PasswordCredentials", "TokenCredentials", "is_bearer_token"]

_TOKEN_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "-._~+/=")


def is_bearer_token(text: str) -> bool:
    """Whether a text can stand in an `Authorization: Bearer` header (RFC 6750 section 2.1)."""
    return bool(text) and _TOKEN_CHARACTERS.issuperset(text)


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """A user who logs in; tokens are issued and renewed as needed.

    Attributes:
        username: The user name or the email address.
        access_token: One to begin with, in place of a login; it may have ended.
    """

    username: str
    password: str = field(repr=False)
    access_token: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """A ready access token; it cannot be renewed.

    Raises:
        InvalidInput: The text cannot be a token; white space around one is the usual reason.
    """

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_bearer_token(self.token):
            raise InvalidInput(
                [
                    Finding(
                        path="token",
                        message="the token is empty or holds a character that no bearer token has",
                        fix="Give the token alone, without `Bearer`, quotes, blanks or line ends.",
                    )
                ]
            )


Credentials: TypeAlias = PasswordCredentials | TokenCredentials
