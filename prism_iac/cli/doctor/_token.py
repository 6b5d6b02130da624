"""Whether the token of this shell lasts."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prism_iac._json import json_object
from prism_iac.cli._outcome import Outcome, failed, fine, skipped
from prism_iac.cli._prism import Prism

__all__ = ["check_token", "token_outcome"]

_VARIABLE: Final = "PRISM_TOKEN"
_SOON: Final = timedelta(minutes=5)
_FIX: Final = f"Set {_VARIABLE} to a fresh one, or PRISM_USERNAME and PRISM_PASSWORD, which renew theirs."


def check_token(prism: Prism) -> Outcome:
    """Whether the token of the environment is valid for a while."""
    token = os.environ.get(_VARIABLE, "")
    if prism.is_embedded or not token:
        return skipped("none is set: tokens are issued and renewed as they are needed")
    return token_outcome(token, now=datetime.now(UTC))


def token_outcome(token: str, *, now: datetime) -> Outcome:
    """What the end of an access token means; its signature is for Prism to look at.

    Args:
        token: A JWT (RFC 7519); its claim `exp` is read.
        now: The time, aware.
    """
    claims = _claims_of(token)
    if claims is None:
        return failed(_VARIABLE, cause="it is no JSON Web Token", fix=_FIX)
    if claims.get("type", 0) != 0:
        return failed(_VARIABLE, cause="it is a refresh token, which lets nobody in", fix=_FIX)
    try:
        end = datetime.fromtimestamp(claims["exp"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return skipped(f"{_VARIABLE} does not say when it ends")
    evidence = f"{_VARIABLE} ends at {end:%Y-%m-%d %H:%M} UTC"
    if end <= now:
        return failed(evidence, cause="the token has ended", fix=_FIX)
    if end - now < _SOON:
        return failed(evidence, cause="the token ends in less than five minutes", fix=_FIX)
    return fine(evidence)


def _claims_of(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  # header, claims and signature
        return None
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except ValueError:
        return None
    return json_object(claims)
