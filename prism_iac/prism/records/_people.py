"""Users, workspaces and roles (prism-rest.md sections 3.1, 3.2 and 3.11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from prism_iac.prism._fields import Fields

__all__ = [
    "DomainRecord",
    "RoleRecord",
    "UserRecord",
    "parse_member_id",
]


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user (section 3.1)."""

    id: str
    email: str
    username: str
    first_name: str
    last_name: str
    status: str
    created_at: datetime | None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a user; old records keep the name in `identity`."""
        fields = Fields(document, "a user")
        credentials = Fields(fields.raw("credentials") or {}, "a user's credentials")
        return cls(
            id=fields.identity("id"),
            email=fields.text("email"),
            username=credentials.text("username", "identity") or fields.text("username"),
            first_name=fields.text("first_name"),
            last_name=fields.text("last_name"),
            status=fields.text("status").lower(),
            created_at=fields.time("created_at"),
        )


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """A workspace, called domain on the wire (section 3.2)."""

    id: str
    name: str
    alias: str
    status: str
    created_by: str
    created_at: datetime | None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a domain; the upstream name of `alias` is `route` (D11)."""
        fields = Fields(document, "a workspace")
        return cls(
            id=fields.identity("id"),
            name=fields.text("name"),
            alias=fields.text("alias", "route"),
            status=fields.text("status").lower(),
            created_by=fields.text("created_by"),
            created_at=fields.time("created_at"),
        )


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """A role of a computation or workspace (section 3.11).

    Attributes:
        members: The ids of the users who hold it.
    """

    id: str
    name: str
    actions: tuple[str, ...]
    members: tuple[str, ...]

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a role in Prism's spelling or in that of the service it comes from."""
        fields = Fields(document, "a role")
        return cls(
            id=fields.identity("id", "role_id"),
            name=fields.text("role_name", "name"),
            actions=fields.texts("actions"),
            members=fields.items(parse_member_id, "members"),
        )


def parse_member_id(document: object) -> str:
    """The id of a user, given alone or in an object."""
    return document if isinstance(document, str) else Fields(document, "a member").identity("id", "user_id")
