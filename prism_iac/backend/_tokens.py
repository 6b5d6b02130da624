"""Access and refresh tokens: JWTs signed with HS512 (prism-rest.md section 1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final
from uuid import uuid4

from prism_iac.backend._clock import Clock
from prism_iac.backend._errors import Unauthenticated

__all__ = ["Claims", "TokenKind", "Tokens"]

_ALGORITHM: Final = "HS512"
_ISSUER: Final = "prism-iac"
_MOST_REMEMBERED: Final = 4096


class TokenKind(IntEnum):
    """What a token is for; the number stands in the claim `type`."""

    ACCESS = 0
    REFRESH = 1


_LIFETIMES: Final = {TokenKind.ACCESS: timedelta(hours=1), TokenKind.REFRESH: timedelta(hours=24)}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says."""

    user_id: str
    kind: TokenKind
    issued_at: datetime
    expires_at: datetime


class Tokens:
    """Issues and verifies tokens; remembers verified ones until they end."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        """Use a secret of 64 bytes or more (RFC 7518 §3.2)."""
        self._secret = secret
        self._clock = clock
        self._verified: dict[str, Claims] = {}

    def issue(self, user_id: str, kind: TokenKind) -> str:
        """A fresh token for a user."""
        import jwt

        now = self._clock().replace(microsecond=0)
        claims = {
            "domain": "",
            "exp": now + _LIFETIMES[kind],
            "iat": now,
            "iss": _ISSUER,
            "jti": str(uuid4()),
            "sub": user_id,
            "type": int(kind),
            "user": user_id,
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def verify(self, token: str, kind: TokenKind) -> Claims:
        """What a token says.

        Raises:
            Unauthenticated: It is not ours, of another kind, or has ended.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._read(token)
        if claims.expires_at <= self._clock():
            self._verified.pop(token, None)
            raise Unauthenticated("the token has ended", next_step="Refresh it, or log in again.")
        if claims.kind is not kind:
            raise Unauthenticated(f"this call takes the {kind.name.lower()} token")
        if len(self._verified) >= _MOST_REMEMBERED:
            self._verified.pop(next(iter(self._verified)))
        self._verified[token] = claims
        return claims

    def _read(self, token: str) -> Claims:
        import jwt

        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                # the ends are checked against this server's own clock
                options={"require": ["exp", "iat", "sub"], "verify_exp": False, "verify_iat": False},
            )
            return Claims(
                user_id=claims["sub"],
                kind=TokenKind(claims["type"]),
                issued_at=datetime.fromtimestamp(claims["iat"], UTC),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise Unauthenticated("the token is not valid", next_step="Log in again.") from error
