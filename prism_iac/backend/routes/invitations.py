"""Invitations into workspaces (prism-rest.md section 2.9, D62)."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from prism_iac.backend._errors import Clash, Missing
from prism_iac.backend._guard import serves
from prism_iac.backend._roles import Holder, give
from prism_iac.backend._scope import UserScope, WorkspaceScope
from prism_iac.backend.records.roles import (
    AcceptBody,
    InvitationBody,
    InvitationPage,
    InvitationRecord,
    InviteeBody,
    invitation_record,
)
from prism_iac.backend.routes.parameters import PageSlice
from prism_iac.backend.store import Page, Slice, invitations, roles, users
from prism_iac.backend.store.invitations import Invitation, InvitationState
from prism_iac.model import WorkspaceAction

__all__ = ["mount", "router"]

StateFilter = Literal["pending", "accepted", "rejected", "all"]

router = APIRouter(prefix="/invitations", tags=["invitations"])


def mount(domains: APIRouter) -> None:
    """Mount the operations of a workspace's administrators on a router of workspaces."""
    serves(domains, "POST", "/{domain_id}/invitations", status=201, errors=(Clash,))(send_invitation)
    serves(domains, "GET", "/{domain_id}/invitations")(list_domain_invitations)
    serves(domains, "DELETE", "/{domain_id}/invitations", status=204)(delete_invitation)


def send_invitation(scope: WorkspaceScope, body: InvitationBody) -> InvitationRecord:
    """Invite a user; an invitation sent again is pending again."""
    role = roles.find(scope.session, scope.workspace.id, body.role_id)
    if role is None:
        raise Missing(f'there is no role "{body.role_id}" in this workspace')
    if users.find(scope.session, body.invitee_user_id) is None:
        raise Missing(f"there is no user {body.invitee_user_id}", next_step="Register the user first.")
    if roles.roles_of_members(scope.session, scope.workspace.id, [body.invitee_user_id]):
        raise Clash(f"the user {body.invitee_user_id} is a member")
    invitation = Invitation(
        workspace_id=scope.workspace.id,
        invitee=body.invitee_user_id,
        invited_by=scope.caller.id,
        role_id=role.id,
        state=InvitationState.PENDING,
        created_at=scope.now,
        confirmed_at=None,
    )
    invitations.put(scope.session, invitation)
    return invitation_record(invitation, role)


def list_domain_invitations(
    scope: WorkspaceScope, wanted: PageSlice, state: StateFilter = "all"
) -> InvitationPage:
    """List a workspace's invitations, newest first."""
    page = invitations.page(scope.session, wanted, workspace_id=scope.workspace.id, state=_state(state))
    return _records(scope, page, wanted)


def delete_invitation(scope: WorkspaceScope, body: InviteeBody) -> None:
    """Delete an invitation; the user can be invited afresh."""
    found = invitations.find(scope.session, scope.workspace.id, body.user_id)
    if found is None:
        raise Missing(f"there is no invitation of the user {body.user_id}")
    invitations.remove(scope.session, found)


@serves(router, "GET", "")
def list_invitations(scope: UserScope, wanted: PageSlice, state: StateFilter = "pending") -> InvitationPage:
    """List the caller's invitations, newest first."""
    page = invitations.page(scope.session, wanted, invitee=scope.caller.id, state=_state(state))
    return _records(scope, page, wanted)


@serves(router, "POST", "/accept", status=204, errors=(Missing, Clash))
def accept_invitation(scope: UserScope, body: AcceptBody) -> None:
    """Become a member, with the invitation's role."""
    invitation = _pending(scope, body.domain_id)
    role = roles.find(scope.session, invitation.workspace_id, invitation.role_id)
    assert role is not None, "an invitation goes with its role"
    holder = Holder(invitation.workspace_id, None, WorkspaceAction, WorkspaceAction.MANAGE_ROLE)
    give(scope.session, holder, role, [scope.caller.id], now=scope.now)
    invitation.state, invitation.confirmed_at = InvitationState.ACCEPTED, scope.now


@serves(router, "POST", "/reject", status=204, errors=(Missing,))
def reject_invitation(scope: UserScope, body: AcceptBody) -> None:
    """Decline an invitation."""
    invitation = _pending(scope, body.domain_id)
    invitation.state, invitation.confirmed_at = InvitationState.REJECTED, scope.now


def _pending(scope: UserScope, workspace_id: str) -> Invitation:
    invitation = invitations.find(scope.session, workspace_id, scope.caller.id)
    if invitation is None or invitation.state != InvitationState.PENDING:
        raise Missing("there is no open invitation into this workspace")
    return invitation


def _state(state: StateFilter) -> InvitationState | None:
    return None if state == "all" else InvitationState(state)


def _records(scope: UserScope, page: Page[Invitation], wanted: Slice) -> InvitationPage:
    found = roles.find_many(scope.session, {invitation.role_id for invitation in page.rows})
    records = [invitation_record(invitation, found[invitation.role_id]) for invitation in page.rows]
    return InvitationPage(invitations=records, total=page.total, **wanted._asdict())
