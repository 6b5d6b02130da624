"""Workspaces and their members (prism-rest.md section 2.2, D11)."""

from __future__ import annotations

import re
from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from prism_iac.backend._errors import Clash, Malformed
from prism_iac.backend._guard import serves
from prism_iac.backend._scope import UserScope, WorkspaceScope
from prism_iac.backend.records.domains import (
    DomainBody,
    DomainItem,
    DomainPage,
    DomainRecord,
    MemberPage,
    MemberRecord,
    UpdateDomainBody,
    domain_record,
)
from prism_iac.backend.records.users import user_record
from prism_iac.backend.routes.parameters import PageSlice, TextFilter
from prism_iac.backend.store import Duplicate, roles, users, workspaces
from prism_iac.backend.store.workspaces import Workspace
from prism_iac.model import WORKSPACE_ADMIN_ROLE, WorkspaceAction

__all__ = ["mount"]

_LONGEST_SLUG = 56  # leaves room for a counter within an alias


def mount(router: APIRouter) -> None:
    """Mount the operations; workspaces are served under two prefixes (D11)."""
    serves(router, "POST", "", status=201, errors=(Clash,), location=f"{router.prefix}/{{id}}")(create_domain)
    serves(router, "GET", "")(list_domains)
    serves(router, "GET", "/{domain_id}")(get_domain)
    serves(router, "PATCH", "/{domain_id}", errors=(Clash,))(update_domain)
    serves(router, "POST", "/{domain_id}/enable")(enable_domain)
    serves(router, "POST", "/{domain_id}/disable")(disable_domain)
    serves(router, "GET", "/{domain_id}/users")(list_members)


def create_domain(scope: UserScope, body: DomainBody) -> DomainRecord:
    """Make a workspace; the caller becomes its administrator."""
    alias = body.alias or _free_alias(scope, body.name)
    _require_alias_is_no_id(alias)
    try:
        workspace = workspaces.add(
            scope.session, name=body.name, alias=alias, created_by=scope.caller.id, now=scope.now
        )
    except Duplicate as error:
        raise _alias_is_taken(alias) from error
    role = roles.add(
        scope.session,
        workspace_id=workspace.id,
        computation_id=None,
        name=WORKSPACE_ADMIN_ROLE,
        actions=WorkspaceAction,
        now=scope.now,
    )
    roles.add_members(scope.session, role, [scope.caller.id], now=scope.now)
    return domain_record(workspace)


def list_domains(
    scope: UserScope,
    wanted: PageSlice,
    name: TextFilter = None,
    status: Literal["enabled", "disabled", "all"] = "enabled",
) -> DomainPage:
    """List the caller's workspaces, newest first; a platform administrator sees all."""
    page = workspaces.page(
        scope.session,
        wanted,
        member=None if scope.grants.is_platform_administrator else scope.caller.id,
        name=name,
        enabled=None if status == "all" else status == "enabled",
    )
    held = roles.held_by(scope.session, scope.caller.id, [workspace.id for workspace in page.rows])
    items = [
        DomainItem(**domain_record(workspace).model_dump(), permission=_permission(scope, held, workspace))
        for workspace in page.rows
    ]
    return DomainPage(domains=items, total=page.total, **wanted._asdict())


def _permission(scope: UserScope, held: dict[str, frozenset[str]], workspace: Workspace) -> str:
    administers = scope.grants.is_platform_administrator or WorkspaceAction.MANAGE_ROLE in held.get(
        workspace.id, frozenset()
    )
    return "administrator" if administers else "member"


def get_domain(scope: WorkspaceScope) -> DomainRecord:
    """A workspace."""
    return domain_record(scope.workspace)


def update_domain(scope: WorkspaceScope, body: UpdateDomainBody) -> DomainRecord:
    """Change a workspace's name or alias."""
    workspace = scope.workspace
    if body.alias is not None and body.alias != workspace.alias:
        _require_alias_is_no_id(body.alias)
        if workspaces.is_alias_taken(scope.session, body.alias):
            raise _alias_is_taken(body.alias)
        workspace.alias = body.alias
    workspace.name = body.name or workspace.name
    return _touched(scope)


def enable_domain(scope: WorkspaceScope) -> DomainRecord:
    """Open a workspace again."""
    scope.workspace.enabled = True
    return _touched(scope)


def disable_domain(scope: WorkspaceScope) -> DomainRecord:
    """Close a workspace for everything but reading and enabling it."""
    scope.workspace.enabled = False
    return _touched(scope)


def _touched(scope: WorkspaceScope) -> DomainRecord:
    scope.workspace.updated_by = scope.caller.id
    scope.workspace.updated_at = scope.now
    return domain_record(scope.workspace)


def list_members(scope: WorkspaceScope, wanted: PageSlice) -> MemberPage:
    """List the members with their roles, newest first."""
    page = roles.page_of_members(scope.session, wanted, role_id=None, entity_id=scope.workspace.id)
    ids = {membership.user_id for membership in page.rows}
    found = users.find_many(scope.session, ids)
    held = roles.roles_of_members(scope.session, scope.workspace.id, ids)
    members = [
        MemberRecord(
            **user_record(found[membership.user_id]).model_dump(),
            role_id=membership.role_id,
            role_name=held[membership.user_id].name,
        )
        for membership in page.rows
    ]
    return MemberPage(users=members, total=page.total, **wanted._asdict())


def _free_alias(scope: UserScope, name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_SLUG] or "workspace"
    alias, number = slug, 1
    while workspaces.is_alias_taken(scope.session, alias):
        number += 1
        alias = f"{slug}-{number}"
    return alias


def _require_alias_is_no_id(alias: str) -> None:
    try:
        UUID(alias)
    except ValueError:
        return
    raise Malformed(f'the alias "{alias}" has the form of an id', next_step="Choose a name.")


def _alias_is_taken(alias: str) -> Clash:
    return Clash(f'the alias "{alias}" is taken', next_step="Choose another one.")
