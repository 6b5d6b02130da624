"""Roles of workspaces and of computations (prism-rest.md section 2.9, D49 to D53)."""

from __future__ import annotations

from fastapi import APIRouter

from prism_iac.backend._errors import Clash, Missing
from prism_iac.backend._guard import serves
from prism_iac.backend._roles import give, holder_of, known_actions, require_a_ruler
from prism_iac.backend._scope import ComputationScope, UserScope, WorkspaceScope
from prism_iac.backend.records.roles import (
    ActionList,
    ActionsBody,
    AvailableActions,
    MemberIdPage,
    MemberList,
    MembersBody,
    RenameRoleBody,
    RoleBody,
    RolePage,
    RoleRecord,
    role_record,
)
from prism_iac.backend.routes.parameters import PageSlice
from prism_iac.backend.store import Duplicate, Slice, roles
from prism_iac.backend.store.roles import Role
from prism_iac.model import Action, WorkspaceAction

__all__ = ["mount_computation_roles", "mount_workspace_roles"]

_ALL = Slice(limit=10_000, offset=0)


def mount_workspace_roles(router: APIRouter) -> None:
    """Mount the role operations of workspaces on a router of workspaces."""
    serves(router, "GET", "/roles/available-actions")(list_domain_actions)
    _mount(router, "/{domain_id}", "domain", WorkspaceScope)


def mount_computation_roles(router: APIRouter) -> None:
    """Mount the role operations of computations on a router of a workspace's computations."""
    serves(router, "GET", "/roles/available-actions")(list_computation_actions)
    _mount(router, "/{computation_id}", "computation", ComputationScope)


def _mount(router: APIRouter, prefix: str, kind: str, scope_type: type[WorkspaceScope]) -> None:
    many, one = f"{prefix}/roles", f"{prefix}/roles/{{role_id}}"
    for method, path, function, status, verb in (
        ("POST", many, create_role, 201, "create_{}_role"),
        ("GET", many, list_roles, 200, "list_{}_roles"),
        ("GET", one, get_role, 200, "get_{}_role"),
        ("PUT", one, rename_role, 200, "rename_{}_role"),
        ("DELETE", one, delete_role, 204, "delete_{}_role"),
        ("POST", f"{one}/actions", add_actions, 200, "add_{}_role_actions"),
        ("GET", f"{one}/actions", list_actions, 200, "list_{}_role_actions"),
        ("POST", f"{one}/actions/delete", delete_actions, 204, "delete_{}_role_actions"),
        ("POST", f"{one}/actions/delete-all", delete_all_actions, 204, "delete_all_{}_role_actions"),
        ("POST", f"{one}/members", add_members, 200, "add_{}_role_members"),
        ("GET", f"{one}/members", list_members, 200, "list_{}_role_members"),
        ("POST", f"{one}/members/delete", delete_members, 204, "delete_{}_role_members"),
        ("POST", f"{one}/members/delete-all", delete_all_members, 204, "delete_all_{}_role_members"),
    ):
        errors = (Clash,) if method != "GET" else ()
        name = verb.format(kind)
        serves(router, method, path, status=status, errors=errors, name=name, scope_type=scope_type)(function)


def list_domain_actions(_scope: UserScope) -> AvailableActions:
    """The actions that a workspace role can have."""
    return AvailableActions(available_actions=list(WorkspaceAction))


def list_computation_actions(_scope: WorkspaceScope) -> AvailableActions:
    """The actions that a computation role can have."""
    return AvailableActions(available_actions=list(Action))


def create_role(scope: WorkspaceScope, body: RoleBody) -> RoleRecord:
    """Make a role."""
    holder = holder_of(scope)
    actions = known_actions(holder, body.actions)
    try:
        role = roles.add(
            scope.session,
            workspace_id=holder.workspace_id,
            computation_id=holder.computation_id,
            name=body.role_name,
            actions=actions,
            now=scope.now,
        )
    except Duplicate as error:
        raise _name_is_taken(body.role_name) from error
    give(scope.session, holder, role, body.members, now=scope.now)
    return role_record(role, sorted(set(body.members)))


def list_roles(scope: WorkspaceScope, wanted: PageSlice) -> RolePage:
    """List the roles, newest first."""
    holder = holder_of(scope)
    page = roles.page(scope.session, holder.id, wanted)
    members = roles.memberships_of(scope.session, [holder.id]) if _sees_members(scope) else []
    records = [
        role_record(role, [member.user_id for member in members if member.role_id == role.id])
        for role in page.rows
    ]
    return RolePage(roles=records, total=page.total, **wanted._asdict())


def get_role(scope: WorkspaceScope, role_id: str) -> RoleRecord:
    """A role."""
    return _record(scope, _existing(scope, role_id))


def rename_role(scope: WorkspaceScope, role_id: str, body: RenameRoleBody) -> RoleRecord:
    """Give a role another name."""
    role = _existing(scope, role_id)
    other = roles.find_by_name(scope.session, holder_of(scope).id, body.name)
    if other is not None and other.id != role.id:
        raise _name_is_taken(body.name)
    role.name = body.name
    return _record(scope, role)


def delete_role(scope: WorkspaceScope, role_id: str) -> None:
    """Delete a role; its members lose it."""
    roles.remove(scope.session, _existing(scope, role_id))
    require_a_ruler(scope.session, holder_of(scope))


def add_actions(scope: WorkspaceScope, role_id: str, body: ActionsBody) -> ActionList:
    """Add actions to a role."""
    role = _existing(scope, role_id)
    role.actions = sorted({*role.actions, *known_actions(holder_of(scope), body.actions)})
    return ActionList(actions=role.actions)


def list_actions(scope: WorkspaceScope, role_id: str) -> ActionList:
    """A role's actions."""
    return ActionList(actions=_existing(scope, role_id).actions)


def delete_actions(scope: WorkspaceScope, role_id: str, body: ActionsBody) -> None:
    """Take actions from a role."""
    holder = holder_of(scope)
    role = _existing(scope, role_id)
    role.actions = sorted(set(role.actions) - set(known_actions(holder, body.actions)))
    require_a_ruler(scope.session, holder)


def delete_all_actions(scope: WorkspaceScope, role_id: str) -> None:
    """Take every action from a role."""
    _existing(scope, role_id).actions = []
    require_a_ruler(scope.session, holder_of(scope))


def add_members(scope: WorkspaceScope, role_id: str, body: MembersBody) -> MemberList:
    """Give users a role; one user holds one role here."""
    role = _existing(scope, role_id)
    give(scope.session, holder_of(scope), role, body.members, now=scope.now)
    return MemberList(members=sorted(set(body.members)))


def list_members(scope: WorkspaceScope, role_id: str, wanted: PageSlice) -> MemberIdPage:
    """The ids of a role's members, newest first."""
    role = _existing(scope, role_id)
    page = roles.page_of_members(scope.session, wanted, role_id=role.id, entity_id=role.entity_id)
    members = [membership.user_id for membership in page.rows]
    return MemberIdPage(members=members, total=page.total, **wanted._asdict())


def delete_members(scope: WorkspaceScope, role_id: str, body: MembersBody) -> None:
    """Take a role from users."""
    roles.remove_members(scope.session, _existing(scope, role_id), body.members)
    require_a_ruler(scope.session, holder_of(scope))


def delete_all_members(scope: WorkspaceScope, role_id: str) -> None:
    """Take a role from all of its members."""
    roles.remove_members(scope.session, _existing(scope, role_id))
    require_a_ruler(scope.session, holder_of(scope))


def _existing(scope: WorkspaceScope, role_id: str) -> Role:
    role = roles.find(scope.session, holder_of(scope).id, role_id)
    if role is None:
        raise Missing(f'there is no role "{role_id}" here')
    return role


def _record(scope: WorkspaceScope, role: Role) -> RoleRecord:
    if not _sees_members(scope):
        return role_record(role, [])
    page = roles.page_of_members(scope.session, _ALL, role_id=role.id, entity_id=role.entity_id)
    return role_record(role, sorted(membership.user_id for membership in page.rows))


def _sees_members(scope: WorkspaceScope) -> bool:
    return (
        isinstance(scope, ComputationScope)
        or scope.grants.is_platform_administrator
        or WorkspaceAction.VIEW_ROLE_USERS in scope.grants.workspace
    )


def _name_is_taken(name: str) -> Clash:
    return Clash(f'there is a role "{name}" here', next_step="Change that one, or choose another name.")
