"""Workspaces and their members (prism-rest.md section 3.2, D11)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AliasChoices, Field

from prism_iac.backend.records.fields import Body, Name, Record, Time
from prism_iac.backend.records.users import UserRecord
from prism_iac.backend.store.workspaces import Workspace

__all__ = [
    "DomainBody",
    "DomainItem",
    "DomainPage",
    "DomainRecord",
    "MemberPage",
    "MemberRecord",
    "UpdateDomainBody",
    "domain_record",
]

Alias = Annotated[
    str,
    Field(
        max_length=63,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="A short name, unique on this server and not of the form of an id.",
    ),
]

_ALIAS_NAMES: Final = AliasChoices("alias", "route")


class DomainBody(Body):
    """A new workspace; without an alias it gets one made from its name."""

    name: Name
    alias: Alias | None = Field(default=None, validation_alias=_ALIAS_NAMES)


class UpdateDomainBody(Body):
    """What may change of a workspace; a field that is left out stays."""

    name: Name | None = None
    alias: Alias | None = Field(default=None, validation_alias=_ALIAS_NAMES)


class DomainRecord(Record):
    """A workspace."""

    id: str
    name: str
    alias: str
    status: Literal["enabled", "disabled"]
    created_by: str
    updated_by: str
    created_at: Time
    updated_at: Time


class DomainItem(DomainRecord):
    """A workspace in a list, with the caller's right in it."""

    permission: str


class DomainPage(Record):
    """Some workspaces."""

    domains: list[DomainItem]
    total: int
    limit: int
    offset: int


class MemberRecord(UserRecord):
    """A member of a workspace, with the role held there."""

    role_id: str
    role_name: str


class MemberPage(Record):
    """Some members."""

    users: list[MemberRecord]
    total: int
    limit: int
    offset: int


def domain_record(workspace: Workspace) -> DomainRecord:
    """The record of a workspace."""
    return DomainRecord(
        id=workspace.id,
        name=workspace.name,
        alias=workspace.alias,
        status="enabled" if workspace.enabled else "disabled",
        created_by=workspace.created_by,
        updated_by=workspace.updated_by or "",
        created_at=workspace.created_at,
        updated_at=workspace.updated_at,
    )
