"""Users and tokens (prism-rest.md section 3.1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from prism_iac.backend.records.fields import Body, Metadata, Name, OptionalText, Record, Time
from prism_iac.backend.store import Page, Slice
from prism_iac.backend.store.users import User

__all__ = [
    "LegacyLogin",
    "Login",
    "RegisterBody",
    "SecretBody",
    "TokenPair",
    "UpdateUserBody",
    "UserPage",
    "UserRecord",
    "user_page",
    "user_record",
]

Secret = Annotated[SecretStr, Field(min_length=8, max_length=1024)]
"""A password."""

Username = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\s\x00]+$")]
Email = Annotated[str, Field(max_length=255, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Tags = Annotated[list[Name], Field(max_length=64)]


class NewCredentials(Body):
    """A login name and its password."""

    username: Username
    secret: Secret


class RegisterBody(Body):
    """A new account."""

    email: Email
    credentials: NewCredentials
    first_name: OptionalText = ""
    last_name: OptionalText = ""
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
    profile_picture: OptionalText = ""


class UpdateUserBody(Body):
    """What may change of an account; a field that is left out stays."""

    first_name: OptionalText | None = None
    last_name: OptionalText | None = None
    tags: Tags | None = None
    metadata: Metadata | None = None
    profile_picture: OptionalText | None = None


class SecretBody(Body):
    """A change of password."""

    old_secret: Annotated[SecretStr, Field(max_length=1024)]
    new_secret: Secret


class Login(Body):
    """A login; the user name may be the email (D9)."""

    username: Annotated[str, Field(max_length=255)]
    password: Annotated[SecretStr, Field(max_length=1024)]


class LegacyLogin(Body):
    """A login as older clients write it (D9)."""

    identity: Annotated[str, Field(max_length=255)]
    secret: Annotated[SecretStr, Field(max_length=1024)]


class TokenPair(Record):
    """An access token and the token that renews it."""

    access_token: str
    refresh_token: str
    access_type: Literal["Bearer"] = "Bearer"


class CredentialsRecord(Record):
    """A login name."""

    username: str


class UserRecord(Record):
    """An account, without its password."""

    id: str
    first_name: str
    last_name: str
    email: str
    credentials: CredentialsRecord
    tags: list[str]
    metadata: dict[str, Any]
    profile_picture: str
    status: Literal["enabled", "disabled"]
    created_at: Time
    updated_at: Time


class UserPage(Record):
    """Some accounts."""

    users: list[UserRecord]
    total: int
    limit: int
    offset: int


def user_record(user: User) -> UserRecord:
    """The record of an account."""
    return UserRecord(
        id=user.id,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        credentials=CredentialsRecord(username=user.username),
        tags=user.tags,
        metadata=user.details,
        profile_picture=user.profile_picture,
        status="enabled" if user.enabled else "disabled",
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def user_page(page: Page[User], wanted: Slice) -> UserPage:
    """The envelope of a page of accounts."""
    return UserPage(users=[user_record(user) for user in page.rows], total=page.total, **wanted._asdict())
