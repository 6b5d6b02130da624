"""Roles and invitations (prism-rest.md sections 2.9 and 3.11)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, Field

from prism_iac.backend.records.fields import Body, Name, Record, Time
from prism_iac.backend.store.invitations import Invitation, InvitationState
from prism_iac.backend.store.roles import Role

__all__ = [
    "AcceptBody",
    "ActionList",
    "ActionsBody",
    "AvailableActions",
    "InvitationBody",
    "InvitationPage",
    "InvitationRecord",
    "InviteeBody",
    "MemberIdPage",
    "MemberList",
    "MembersBody",
    "RenameRoleBody",
    "RoleBody",
    "RolePage",
    "RoleRecord",
    "invitation_record",
    "role_record",
]

RoleName = Annotated[Name, Field(max_length=200)]
UserIds = Annotated[list[Name], Field(max_length=1000)]
ActionNames = Annotated[list[Name], Field(max_length=64)]


class RoleBody(Body):
    """A new role."""

    role_name: RoleName
    actions: ActionNames = Field(
        default_factory=list,
        validation_alias=AliasChoices("optional_actions", "actions"),
        serialization_alias="optional_actions",
    )
    members: UserIds = Field(
        default_factory=list,
        validation_alias=AliasChoices("optional_members", "members"),
        serialization_alias="optional_members",
    )


class RenameRoleBody(Body):
    """A role's other name."""

    name: RoleName


class ActionsBody(Body):
    """Actions to add to a role or to take from it."""

    actions: ActionNames


class MembersBody(Body):
    """Users to give a role or to take it from."""

    members: UserIds


class RoleRecord(Record):
    """A role; whoever may not see its members sees none."""

    id: str
    role_name: str
    actions: list[str]
    members: list[str]


class RolePage(Record):
    """Some roles."""

    roles: list[RoleRecord]
    total: int
    limit: int
    offset: int


class ActionList(Record):
    """A role's actions."""

    actions: list[str]


class AvailableActions(Record):
    """The actions that a role can have."""

    available_actions: list[str]


class MemberList(Record):
    """A role's members, by id."""

    members: list[str]


class MemberIdPage(MemberList):
    """Some members of a role, by id."""

    total: int
    limit: int
    offset: int


class InvitationBody(Body):
    """Whom to invite, and the role that the invitation brings."""

    invitee_user_id: Name
    role_id: Name


class InviteeBody(Body):
    """Whose invitation."""

    user_id: Name


class AcceptBody(Body):
    """The workspace of the invitation."""

    domain_id: Name


class InvitationRecord(Record):
    """An invitation."""

    invited_by: str
    invitee_user_id: str
    domain_id: str
    role_id: str
    role_name: str
    actions: list[str]
    state: InvitationState
    created_at: Time
    updated_at: Time
    confirmed_at: Time


class InvitationPage(Record):
    """Some invitations."""

    invitations: list[InvitationRecord]
    total: int
    limit: int
    offset: int


def role_record(role: Role, members: list[str]) -> RoleRecord:
    """The record of a role with its members."""
    return RoleRecord(id=role.id, role_name=role.name, actions=role.actions, members=members)


def invitation_record(invitation: Invitation, role: Role) -> InvitationRecord:
    """The record of an invitation with its role."""
    return InvitationRecord(
        invited_by=invitation.invited_by,
        invitee_user_id=invitation.invitee,
        domain_id=invitation.workspace_id,
        role_id=role.id,
        role_name=role.name,
        actions=role.actions,
        state=InvitationState(invitation.state),
        created_at=invitation.created_at,
        updated_at=invitation.confirmed_at,
        confirmed_at=invitation.confirmed_at,
    )
