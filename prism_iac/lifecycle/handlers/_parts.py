"""Who takes part in a computation, as its definition says: roles and linked assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prism_iac.errors import Conflict
from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._roles import actions_by_user, define_actions
from prism_iac.model import Action, AssetKind, ComputationStatus
from prism_iac.model.resources import Computation

if TYPE_CHECKING:
    from prism_iac.prism import AssetRecord, ComputationRecord

__all__ = ["Parts", "assign_parts", "frozen", "parts_of"]


@dataclass(frozen=True, slots=True)
class Parts:
    """The linked assets and the consumers of a computation."""

    algorithm: str | None
    datasets: tuple[str, ...]
    result_consumers: tuple[str, ...]


def assign_parts(record: ComputationRecord, desired: Computation, context: Context, *, is_new: bool) -> None:
    """Give the roles that follow from the definition, then link its assets and unlink others.

    An asset whose provider this deployment cannot act for is left to its provider, and said so.

    Args:
        record: The computation as it is.
        desired: The definition.
        context: The surroundings.
        is_new: The computation was made a moment ago, so it has no links.

    Raises:
        Conflict: A run is going on and the assets or the consumers of its result would change.
    """
    session = context.session
    workspace = session.workspace(desired.workspace)
    wanted = {asset_id: workspace.assets.get(asset_id) for asset_id in _asset_ids(desired)}
    linked = (
        {}
        if is_new
        else {asset.id: asset for asset in workspace.assets.list() if record.id in asset.computations}
    )
    defined = _defined(wanted.values(), desired, context)
    if is_new and not defined:
        return
    surplus, missing = _difference(linked, wanted), _difference(wanted, linked)
    if record.status is ComputationStatus.RUNNING:
        if surplus or missing:
            raise frozen(record, "the algorithm and the datasets")
        if _consumers(actions_by_user(workspace.roles.list(record.id))) != _consumers(defined):
            raise frozen(record, "the consumers of the result")
    known = session.snapshot(desired.workspace).assets
    for asset in surplus:
        if _can_act(asset, desired, context, "unlinked from"):
            session.acting_for(asset.user_id, desired.workspace).assets.unlink(asset.id, record.id)
            known.put(replace(asset, computations=tuple(set(asset.computations) - {record.id})))
    define_actions(workspace.roles, record.id, defined)
    for asset in missing:
        if _can_act(asset, desired, context, "linked to"):
            session.acting_for(asset.user_id, desired.workspace).assets.link(asset.id, record.id)
            known.put(replace(asset, computations=(*asset.computations, record.id)))


def parts_of(record: ComputationRecord, state: Computation, context: Context) -> Parts:
    """The parts of a computation as they are; users keep the spelling that the state has for them."""
    session = context.session
    assets = [
        asset for asset in session.snapshot(state.workspace).assets.all() if record.id in asset.computations
    ]
    roles = record.roles
    if roles is None:
        roles = tuple(session.workspace(state.workspace).roles.list(record.id))
    consumers = _consumers(actions_by_user(roles))
    spelled = {
        user.id: name for name in state.result_consumers if (user := session.find_user(name)) is not None
    }
    return Parts(
        algorithm=next((asset.id for asset in assets if asset.asset_type is AssetKind.ALGORITHM), None),
        datasets=tuple(asset.id for asset in assets if asset.asset_type is AssetKind.DATASET),
        result_consumers=tuple(spelled.get(user) or session.name_of(user) for user in consumers),
    )


def _defined(
    assets: Iterable[AssetRecord], desired: Computation, context: Context
) -> dict[str, frozenset[Action]]:
    found: dict[str, frozenset[Action]] = {}
    for asset in assets:
        part = Action.ALGO_PROVIDER if asset.id == desired.algorithm else Action.DATASET_PROVIDER
        found[asset.user_id] = found.get(asset.user_id, frozenset()) | {part}
    for consumer in desired.result_consumers:
        user = context.session.user(consumer, desired.workspace).id
        found[user] = found.get(user, frozenset()) | {Action.RESULT_CONSUMER}
    return found


def _consumers(actions: Mapping[str, frozenset[Action]]) -> set[str]:
    return {user for user, allowed in actions.items() if Action.RESULT_CONSUMER in allowed}


def frozen(record: ComputationRecord, what: str) -> Conflict:
    """The refusal to change, in mid-run, what the run has begun with."""
    return Conflict(
        f"{what} cannot change while a run is going on",
        where=f'computation "{record.name}"',
        next_step=f"Wait for its end, or stop it with `prism-iac computations stop {record.id}`.",
    )


def _asset_ids(computation: Computation) -> tuple[str, ...]:
    return (*((computation.algorithm,) if computation.algorithm else ()), *computation.datasets)


def _difference(these: dict[str, AssetRecord], those: dict[str, AssetRecord]) -> list[AssetRecord]:
    return [asset for asset_id, asset in these.items() if asset_id not in those]


def _can_act(asset: AssetRecord, desired: Computation, context: Context, change: str) -> bool:
    if context.session.can_act_for(asset.user_id, desired.workspace):
        return True
    context.report(
        f'{asset.file_name or asset.id} is not {change} computation "{desired.name}" yet: '
        f"only its provider {context.session.name_of(asset.user_id)} can do that"
    )
    return False
