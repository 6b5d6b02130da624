"""The short-lived ID token of a job, and whether one is that of a workflow that is trusted.

Sources: OpenID Connect Core 1.0, §3.1.3.7 (what a verifier checks); GitHub Actions, "OpenID Connect reference";
GitLab CI/CD, "ID token authentication".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from prism_iac.errors import FailedClaim, Finding, InvalidInput, RemoteFailure, VerificationFailure
from prism_iac.forge._rest import Rest

if TYPE_CHECKING:
    from jwt import PyJWKSet

__all__ = ["Trust", "fetch_identity", "fetch_keys", "verify_identity"]

_ALGORITHMS: Final = ("RS256", "ES256")
_LEEWAY_SECONDS: Final = 30
_LONGEST_LIFE_SECONDS: Final = 3600
_WHOSE: Final = frozenset({"repository", "repository_id", "project_path", "project_id"})
_WORKFLOW: Final = frozenset({"job_workflow_ref", "ci_config_ref_uri"})
_WHERE: Final = frozenset({"ref", "environment"})
_PINNED: Final = re.compile(r"[^@*?]+@(?:[0-9a-f]{40}|refs/heads/[^*?]+)")

_NEXT: Final = "Give it nothing. See which workflow asked, of which repository, and where it ran."


class Trust(BaseModel):
    """Which jobs are trusted: those whose token has each of these claims, word for word.

    Attributes:
        issuer: The forge, such as `https://token.actions.githubusercontent.com`.
        audience: For whom the token must have been asked.
        claims: What it must say of the job: whose it is (`repository` or `project_path`, or its id), the workflow
            file with its revision (`job_workflow_ref` or `ci_config_ref_uri`), and where it runs (`ref` or
            `environment`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    claims: Mapping[str, str]

    @field_validator("claims")
    @classmethod
    def _says_enough(cls, claims: Mapping[str, str]) -> Mapping[str, str]:
        for names in (_WHOSE, _WORKFLOW, _WHERE):
            if not any(claims.get(name) for name in names):
                raise ValueError(f"say one of {', '.join(sorted(names))}")
        for name in _WORKFLOW & claims.keys():
            if not _PINNED.fullmatch(claims[name]):
                raise ValueError(f"{name} ends in @ and a full commit, or refs/heads/ and a branch")
        return claims


def fetch_identity(variables: Mapping[str, str], audience: str) -> str:
    """Ask GitHub for the ID token of the job; GitLab puts one into a variable of the job itself.

    Args:
        variables: The environment.
        audience: For whom the token is.

    Raises:
        InvalidInput: The job may ask for none.
        RemoteFailure: The forge did not answer, or refused.
    """
    endpoint = variables.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    secret = variables.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not endpoint or not secret:
        raise InvalidInput(
            [
                Finding(
                    message="this job may not ask for an ID token",
                    fix="Give a job of GitHub `permissions: {id-token: write}`; in a job of GitLab declare `id_tokens:`, "
                    "and read its variable.",
                )
            ]
        )
    base, _, query = endpoint.partition("?")
    rest = Rest(base, headers={"Authorization": f"Bearer {secret}"}, secret=secret)
    return rest.get(f"?{query}&audience={quote(audience, safe='')}", lambda reply: str(reply["value"]))


def fetch_keys(issuer: str) -> PyJWKSet:
    """The public keys of a forge, from where its discovery document says (OpenID Connect Discovery 1.0, §4).

    Args:
        issuer: As tokens name it; over https.

    Raises:
        InvalidInput: It is no https URL.
        RemoteFailure: It did not answer, or named another issuer, or keys elsewhere.
    """
    import jwt

    rest = Rest(issuer)
    found: tuple[str, str] = rest.get(
        "/.well-known/openid-configuration", lambda reply: (str(reply["issuer"]), str(reply["jwks_uri"]))
    )
    keys = urlsplit(found[1])
    at_issuer = urlsplit(issuer)
    if found[0] != issuer or (keys.scheme, keys.netloc) != (at_issuer.scheme, at_issuer.netloc):
        raise RemoteFailure(
            "the discovery document is of another issuer", where=issuer, next_step="Correct the issuer."
        )
    origin = Rest(f"{keys.scheme}://{keys.netloc}")
    try:
        return origin.get(keys.path, jwt.PyJWKSet.from_dict)
    except jwt.PyJWTError as error:
        raise RemoteFailure(
            "the issuer has no keys that can be read", where=found[1], next_step="Try again later."
        ) from error


def verify_identity(token: str, trust: Trust, keys: PyJWKSet, now: datetime) -> Mapping[str, Any]:
    """The claims of an ID token that is trusted.

    Checked are 1. the signature by a key of the issuer, in a signature algorithm with key pairs; 2. issuer and
    audience; 3. that it began, has not ended, and lives no longer than an hour; 4. each claim of the trust. Not
    checked is whether the token was shown before: whoever needs that keeps `jti` until `exp`.

    Args:
        token: As it was shown.
        trust: What is asked of it.
        keys: The issuer's, from its `jwks_uri`.
        now: Aware.

    Raises:
        VerificationFailure: It is not trusted; tells every claim that does not fit.
    """
    import jwt

    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(  # 1 and 2; the times are checked below, against the given clock
            token,
            key,
            algorithms=_ALGORITHMS,
            issuer=trust.issuer,
            audience=trust.audience,
            options={
                "require": ["exp", "iat", "sub"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        begins, ends = max(int(claims["iat"]), int(claims.get("nbf", 0))), int(claims["exp"])
    except (jwt.PyJWTError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise VerificationFailure(
            f"the ID token is not one of {trust.issuer} for {trust.audience}", next_step=_NEXT
        ) from error
    moment = int(now.timestamp())
    if not begins - _LEEWAY_SECONDS <= moment < ends or ends - begins > _LONGEST_LIFE_SECONDS:
        raise VerificationFailure("the ID token is not valid at this time", next_step=_NEXT)
    failed = [
        FailedClaim(name, expected=wanted, found=str(claims.get(name, "nothing"))[:200])
        for name, wanted in sorted(trust.claims.items())
        if claims.get(name) != wanted
    ]
    if failed:
        raise VerificationFailure("the job is not trusted", failed=failed, next_step=_NEXT)
    return claims
