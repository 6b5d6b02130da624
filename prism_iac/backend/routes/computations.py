"""Computations (prism-rest.md section 2.3: C1 to C5)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from prism_iac.backend._definitions import Definition, load_definitions
from prism_iac.backend._errors import Clash, Malformed
from prism_iac.backend._guard import serves
from prism_iac.backend._permissions import Grants, Permission
from prism_iac.backend._scope import ComputationScope, WorkspaceScope
from prism_iac.backend.records.computations import (
    AgentConfigBody,
    ComputationBody,
    ComputationDetails,
    ComputationItem,
    ComputationPage,
    ComputationRecord,
    agent_config_record,
    computation_item,
    computation_record,
)
from prism_iac.backend.records.roles import role_record
from prism_iac.backend.routes.parameters import PageSlice
from prism_iac.backend.store import Duplicate, computations, idempotency, roles, runs
from prism_iac.backend.store.computations import Computation
from prism_iac.model import COMPUTATION_ROLES, Action, computation_id_of

__all__ = ["router"]

router = APIRouter(prefix="/computations/{domain_id}/computations", tags=["computations"])

_OWNER = "owner"
_Include = Annotated[
    str, Query(pattern=r"^(|(agent_config|manifest|roles)(,(agent_config|manifest|roles))*)$")
]


def _find(scope: WorkspaceScope, computation_id: str) -> ComputationRecord:
    computation = computations.find(scope.session, scope.workspace.id, computation_id)
    assert computation is not None, "an idempotency key goes with its record"
    return computation_record(computation, with_key=True)


@serves(router, "POST", "", status=201, errors=(Clash,), location="/computations/{id}", replay=_find)
def create_computation(scope: WorkspaceScope, body: ComputationBody) -> ComputationRecord:
    """Make a computation; the caller becomes its owner."""
    _require_owner(body, scope.caller.id)
    agent_config = body.agent_config or AgentConfigBody()
    key = scope.idempotency_key
    try:
        computation = computations.add(
            scope.session,
            workspace_id=scope.workspace.id,
            name=body.name,
            description=body.description,
            owner=scope.caller.id,
            agent_config=agent_config.columns(),
            now=scope.now,
            wanted_id=computation_id_of(scope.workspace.alias, key) if key is not None else None,
        )
    except Duplicate as error:
        raise _name_is_taken(body.name) from error
    role = roles.add(
        scope.session,
        workspace_id=scope.workspace.id,
        computation_id=computation.id,
        name=_OWNER,
        actions=COMPUTATION_ROLES[_OWNER],
        now=scope.now,
    )
    roles.add_members(scope.session, role, [scope.caller.id], now=scope.now)
    return computation_record(computation, with_key=True)


@serves(router, "GET", "")
def list_computations(scope: WorkspaceScope, wanted: PageSlice, include: _Include = "") -> ComputationPage:
    """List the computations, newest first; `include` adds fields to those that the caller may view."""
    page = computations.page(scope.session, scope.workspace.id, wanted)
    items: list[ComputationDetails | ComputationItem] = [computation_item(row) for row in page.rows]
    if include:
        more = _details(scope, page.rows, frozenset(include.split(",")))
        items = [ComputationDetails(**item.model_dump(), **more.get(item.id, {})) for item in items]
    return ComputationPage(computations=items, total=page.total, **wanted._asdict())


def _details(scope: WorkspaceScope, rows: Any, include: frozenset[str]) -> dict[str, dict[str, Any]]:
    """The fields to add, by computation; a constant number of queries."""
    held = roles.held_by(scope.session, scope.caller.id, [row.id for row in rows])
    definitions = load_definitions(scope.session, rows)
    details = {}
    for row in rows:
        grants = Grants(
            is_platform_administrator=scope.grants.is_platform_administrator,
            workspace=scope.grants.workspace,
            computation=frozenset(map(Action, held.get(row.id, ()))),
        )
        if grants.may(Permission.VIEW):
            fields = _included(definitions[row.id], with_key=grants.may(Permission.EDIT))
            details[row.id] = {name: value for name, value in fields.items() if name in include}
    return details


def _included(definition: Definition, *, with_key: bool) -> dict[str, Any]:
    manifest = definition.manifest()
    return {
        "agent_config": agent_config_record(definition.computation, with_key=with_key),
        "manifest": manifest.to_json() if manifest is not None else None,
        "roles": [role_record(role, definition.members[role.id]) for role in definition.roles],
    }


@serves(router, "GET", "/{computation_id}")
def get_computation(scope: ComputationScope, *, peek: bool = False) -> ComputationRecord | ComputationItem:
    """A computation; any member may peek at what lists show."""
    if peek:
        return computation_item(scope.computation)
    scope.require(Permission.VIEW)
    return computation_record(scope.computation, with_key=scope.grants.may(Permission.EDIT))


@serves(router, "PUT", "/{computation_id}", errors=(Clash,))
def update_computation(scope: ComputationScope, body: ComputationBody) -> ComputationRecord:
    """Replace name, description and, where it is given, the agent configuration (D16)."""
    computation = computations.lock(scope.session, scope.computation)
    _require_owner(body, computation.owner)
    if body.agent_config is not None:
        _replace_agent_config(scope, computation, body.agent_config)
    if computations.is_name_taken(scope.session, computation, body.name):
        raise _name_is_taken(body.name)
    computation.name, computation.description = body.name, body.description
    return computation_record(computation, with_key=True)


def _replace_agent_config(scope: ComputationScope, computation: Computation, wanted: AgentConfigBody) -> None:
    changed = {name: value for name, value in wanted.columns().items() if getattr(computation, name) != value}
    if changed and runs.active_of_computation(scope.session, computation.id) is not None:
        raise Clash(
            f"agent_config cannot change while the computation runs ({', '.join(changed)})",
            next_step="Wait for the end of the run, or stop it.",
        )
    for name, value in changed.items():
        setattr(computation, name, value)


@serves(router, "DELETE", "/{computation_id}", status=204, errors=(Clash,))
def delete_computation(scope: ComputationScope) -> None:
    """Delete a computation with its runs, events, logs, keys, roles and links; its assets stay (D17)."""
    computation = computations.lock(scope.session, scope.computation)
    if runs.active_of_computation(scope.session, computation.id) is not None:
        raise Clash("the computation runs", next_step="Stop it first, and wait for the end.")
    idempotency.forget(scope.session, [computation.id, *runs.ids_of(scope.session, computation.id)])
    computations.remove(scope.session, computation)


def _require_owner(body: ComputationBody, owner: str) -> None:
    if body.owner not in ("", owner):
        raise Malformed(f'the owner is {owner}, not "{body.owner}"', next_step="Leave the field owner out.")


def _name_is_taken(name: str) -> Clash:
    return Clash(
        f'there is a computation "{name}" in this workspace',
        next_step="Choose another name, or work with that one.",
    )
