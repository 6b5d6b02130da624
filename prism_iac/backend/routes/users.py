"""Users and tokens (prism-rest.md section 2.1, D9, D10)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request

from prism_iac.backend._errors import Clash, Malformed, Missing, TooManyAttempts, Unauthenticated
from prism_iac.backend._guard import bearer_of, serves
from prism_iac.backend._scope import Scope, UserScope
from prism_iac.backend._tokens import TokenKind, Tokens
from prism_iac.backend.records.users import (
    LegacyLogin,
    Login,
    RegisterBody,
    SecretBody,
    TokenPair,
    UpdateUserBody,
    UserPage,
    UserRecord,
    user_page,
    user_record,
)
from prism_iac.backend.routes.parameters import PageSlice, TextFilter
from prism_iac.backend.store import Duplicate, users
from prism_iac.backend.store.users import NewUser, User, UserFilter

__all__ = ["router"]

router = APIRouter(prefix="/users", tags=["users"])


@serves(router, "POST", "", status=201, errors=(Clash,), writes=False, location="/users/{id}")
def register_user(scope: Scope, body: RegisterBody) -> UserRecord:
    """Make an account."""
    username = body.credentials.username
    if "@" in username and username.lower() != body.email.lower():
        raise Clash(
            f'the user name "{username}" is an email address, and not this account\'s',
            next_step="Use the account's own email, or a name without @.",
        )
    new = NewUser(
        username=username,
        email=body.email,
        password_hash=scope.services.passwords.hash(body.credentials.secret.get_secret_value()),
        first_name=body.first_name,
        last_name=body.last_name,
        tags=tuple(body.tags),
        details=body.metadata,
        profile_picture=body.profile_picture,
    )
    # The slow hash was made before the writers' turn is taken.
    with scope.services.database.writing() as session:
        try:
            return user_record(users.add(session, new, now=scope.now))
        except Duplicate as error:
            raise Clash(
                f'the user name "{username}" or the email "{body.email}" is taken',
                next_step="Log in, or choose others.",
            ) from error


@serves(router, "POST", "/tokens/issue", status=201, errors=(Unauthenticated, TooManyAttempts), writes=False)
def issue_token(scope: Scope, body: Login | LegacyLogin) -> TokenPair:
    """Log in."""
    login = body.username if isinstance(body, Login) else body.identity
    secret = body.password if isinstance(body, Login) else body.secret
    user = users.find_by_login(scope.session, login)
    account = user.id if user is not None else login.lower()
    with scope.services.brake.attempt(account, now=scope.now):
        password_hash = user.password_hash if user is not None else None
        is_right = scope.services.passwords.matches(password_hash, secret.get_secret_value())
        if user is None or not is_right or not user.enabled:
            raise Unauthenticated("the user name or the password is wrong")
    return _pair(scope.services.tokens, user.id)


async def _bearer(request: Request) -> str:
    return bearer_of(request)


@serves(router, "POST", "/tokens/refresh", status=201, errors=(Unauthenticated,), writes=False)
def refresh_token(scope: Scope, token: Annotated[str, Depends(_bearer)]) -> TokenPair:
    """Exchange the refresh token in the header for a fresh pair."""
    claims = scope.services.tokens.verify(token, TokenKind.REFRESH)
    user = users.find(scope.session, claims.user_id)
    if user is None or not user.enabled or claims.issued_at < user.sessions_from:
        raise Unauthenticated("the session has ended", next_step="Log in again.")
    return _pair(scope.services.tokens, user.id)


def _pair(tokens: Tokens, user_id: str) -> TokenPair:
    return TokenPair(
        access_token=tokens.issue(user_id, TokenKind.ACCESS),
        refresh_token=tokens.issue(user_id, TokenKind.REFRESH),
    )


@serves(router, "GET", "")
def list_users(
    scope: UserScope,
    wanted: PageSlice,
    *,
    name: TextFilter = None,
    identity: TextFilter = None,
    username: TextFilter = None,
    email: TextFilter = None,
    status: Literal["enabled", "disabled", "all"] = "enabled",
) -> UserPage:
    """List accounts, newest first."""
    enabled = None if status == "all" else status == "enabled"
    by = UserFilter(name=name, identity=identity, username=username, email=email, enabled=enabled)
    return user_page(users.page(scope.session, wanted, by), wanted)


@serves(router, "GET", "/profile")
def get_profile(scope: UserScope) -> UserRecord:
    """The caller's own account."""
    return user_record(scope.caller)


@serves(router, "PATCH", "/secret", errors=(Malformed,), writes=False)
def change_secret(scope: UserScope, body: SecretBody) -> UserRecord:
    """Change the caller's own password; every session but logins to come ends."""
    passwords = scope.services.passwords
    if not passwords.matches(scope.caller.password_hash, body.old_secret.get_secret_value()):
        raise Malformed("the old password is wrong")
    password_hash = passwords.hash(body.new_secret.get_secret_value())
    with scope.services.database.writing() as session:
        user = _existing(users.find(session, scope.caller.id))
        user.password_hash = password_hash
        user.sessions_from = user.updated_at = scope.now
        return user_record(user)


@serves(router, "GET", "/{user_id}", errors=(Missing,))
def get_user(scope: UserScope, user_id: str) -> UserRecord:
    """An account."""
    return user_record(_existing(users.find(scope.session, user_id)))


@serves(router, "PATCH", "/{user_id}", errors=(Missing,))
def update_user(scope: UserScope, user_id: str, body: UpdateUserBody) -> UserRecord:
    """Change what an account says of its owner."""
    user = _existing(users.find(scope.session, user_id))
    for field, value in body.model_dump(exclude_none=True).items():
        setattr(user, "details" if field == "metadata" else field, value)
    user.updated_at = scope.now
    return user_record(user)


@serves(router, "POST", "/{user_id}/enable", errors=(Missing,))
def enable_user(scope: UserScope, user_id: str) -> UserRecord:
    """Let an account log in again."""
    return _set_enabled(scope, user_id, enabled=True)


@serves(router, "POST", "/{user_id}/disable", errors=(Missing, Clash))
def disable_user(scope: UserScope, user_id: str) -> UserRecord:
    """Keep an account out; refused while it owns computations, assets or workspaces."""
    if users.owns_anything(scope.session, user_id):
        raise Clash(
            "the account still owns computations, assets or workspaces",
            next_step="Delete them or hand them over first.",
        )
    return _set_enabled(scope, user_id, enabled=False)


def _set_enabled(scope: UserScope, user_id: str, *, enabled: bool) -> UserRecord:
    user = _existing(users.find(scope.session, user_id))
    user.enabled = enabled
    user.updated_at = scope.now
    return user_record(user)


def _existing(user: User | None) -> User:
    if user is None:
        raise Missing("there is no such user")
    return user
