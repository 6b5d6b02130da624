"""Takes computations out of a workspace."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from prism_iac.exchange._assets import WorkspaceAssets
from prism_iac.exchange._definition import AssetDefinition, Definition, Origin, RoleDefinition
from prism_iac.model import Action, ComputationStatus, unmarked
from prism_iac.prism import AgentConfigRecord, PermissionDenied

if TYPE_CHECKING:
    from prism_iac.prism import AssetRecord, ComputationRecord, RoleRecord, Workspace

__all__ = ["asset_definition", "export_definitions"]

_ACTIONS: Final = frozenset(Action)


def export_definitions(
    workspace: Workspace,
    *,
    only: Collection[str] = (),
    with_samples: bool = True,
    report: Callable[[str], None] = lambda _: None,
) -> list[Definition]:
    """The computations of a workspace that the user may view, sorted by name.

    Args:
        workspace: Where they are.
        only: The names or ids to take; all when there are none.
        with_samples: Fetch the samples of assets, too.
        report: Takes a sentence for each computation that is left out.
    """
    assets = WorkspaceAssets(workspace)
    definitions = []
    for record in workspace.computations.list(include=("agent_config", "roles")):
        if not only or record.name in only or record.id in only:
            try:
                definitions.append(_definition(record, workspace, assets, with_samples=with_samples))
            except PermissionDenied:
                report(f"{record.name}: left out, you may not view it")
    return sorted(definitions, key=lambda definition: (definition.name, definition.origin.id))


def _definition(
    record: ComputationRecord, workspace: Workspace, assets: WorkspaceAssets, *, with_samples: bool
) -> Definition:
    roles = record.roles
    if record.agent_config is None or record.status is not ComputationStatus.EXECUTABLE:
        # A list has no times, and elsewhere no agent configuration.
        record = workspace.computations.get(record.id)
    if roles is None:
        roles = tuple(workspace.roles.list(record.id))
    return Definition.of(
        name=record.name,
        description=unmarked(record.description)[0],
        agent=record.agent_config or AgentConfigRecord(),
        roles=(_role(role) for role in roles),
        assets=(
            asset_definition(workspace.assets.get(asset.id) if with_samples else asset, is_linked=True)
            for asset in assets.linked_to(record.id)
        ),
        origin=Origin(
            id=record.id,
            owner=record.owner,
            start_time=record.start_time,
            end_time=record.end_time,
            created_at=record.created_at,
        ),
    )


def _role(record: RoleRecord) -> RoleDefinition:
    actions = sorted(Action(action) for action in set(record.actions) if action in _ACTIONS)
    return RoleDefinition(record.name, tuple(actions), tuple(sorted(record.members)))


def asset_definition(record: AssetRecord, *, is_linked: bool) -> AssetDefinition:
    """An asset of a workspace, in canonical form."""
    return AssetDefinition(
        id=record.id,
        kind=record.asset_type,
        user=record.user_id,
        checksum=record.checksum,
        file_name=record.file_name,
        description=unmarked(record.description)[0],
        mime_type=record.mime_type,
        sample=record.sample,
        user_key=record.user_key,
        created_at=record.created_at,
        source=record.source,
        linked=is_linked,
    )
