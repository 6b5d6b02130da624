"""What a computation consists of for a run: its participants, their keys, and its assets.

Gives the manifest (prism-rest.md section 3.9, D26) and what a run still lacks (section 4.3, D21, D54).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from prism_iac.backend._permissions import PROVIDER_ACTIONS
from prism_iac.backend.records.computations import MissingItems
from prism_iac.backend.store import assets, keys, roles
from prism_iac.backend.store.assets import Asset
from prism_iac.backend.store.computations import Computation
from prism_iac.backend.store.roles import Membership, Role
from prism_iac.model import (
    AGENT_TLS_FIELDS,
    Action,
    AssetKind,
    Manifest,
    ManifestAlgorithm,
    ManifestDataset,
)

__all__ = ["Definition", "advice", "load_definition", "load_definitions", "missing_items"]

_PARTS: Final = (Action.ALGO_PROVIDER, Action.DATASET_PROVIDER, Action.RESULT_CONSUMER)
"""The actions that make a user a participant."""

_PEM_MARK: Final = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a computation consists of.

    Attributes:
        roles: Oldest first.
        members: The users of each role, sorted, by role id.
        keys: Public keys, PKIX DER, by user.
        assets: The linked ones, in the order of linking.
    """

    computation: Computation
    roles: Sequence[Role]
    members: Mapping[str, list[str]]
    keys: Mapping[str, bytes]
    assets: Sequence[Asset]

    def users_with(self, *actions: Action) -> list[str]:
        """The users who hold one of some actions, sorted."""
        return sorted(
            {
                user_id
                for role in self.roles
                if not set(actions).isdisjoint(role.actions)
                for user_id in self.members[role.id]
            }
        )

    def providers(self) -> list[str]:
        """The users who may bring an algorithm or datasets, sorted."""
        return self.users_with(*PROVIDER_ACTIONS.values())

    def assets_of(self, kind: AssetKind) -> list[Asset]:
        """The linked assets of a kind."""
        return [asset for asset in self.assets if asset.asset_type == kind]

    def manifest(self) -> Manifest | None:
        """The manifest, in order, with empty keys for participants who have uploaded none; None without algorithm."""
        algorithms = self.assets_of(AssetKind.ALGORITHM)
        if not algorithms:
            return None
        return Manifest(
            id=self.computation.id,
            name=self.computation.name,
            description=self.computation.description,
            algorithm=ManifestAlgorithm(
                hash=bytes.fromhex(algorithms[0].checksum),
                user_key=self._key_of(algorithms[0].user_id),
                source=algorithms[0].source,
            ),
            datasets=tuple(
                ManifestDataset(
                    hash=bytes.fromhex(asset.checksum),
                    user_key=self._key_of(asset.user_id),
                    filename=asset.file_name,
                    source=asset.source,
                )
                for asset in self.assets_of(AssetKind.DATASET)
            ),
            result_consumers=tuple(
                self._key_of(user_id) for user_id in self.users_with(Action.RESULT_CONSUMER)
            ),
        ).in_order()

    def _key_of(self, user_id: str) -> bytes:
        return self.keys.get(user_id, b"")


def load_definition(session: Session, computation: Computation) -> Definition:
    """What one computation consists of."""
    return load_definitions(session, [computation])[computation.id]


def load_definitions(session: Session, computations: Sequence[Computation]) -> dict[str, Definition]:
    """What some computations consist of, by id; four queries, however many they are."""
    ids = [computation.id for computation in computations]
    found_roles = roles.all_of(session, ids)
    members = _users_by_role(roles.memberships_of(session, ids))
    found_keys = keys.of_computations(session, ids)
    found_assets = assets.linked_to(session, ids)
    return {
        computation.id: Definition(
            computation=computation,
            roles=found_roles[computation.id],
            members={role.id: members.get(role.id, []) for role in found_roles[computation.id]},
            keys=found_keys[computation.id],
            assets=found_assets[computation.id],
        )
        for computation in computations
    }


def _users_by_role(memberships: Iterable[Membership]) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for membership in memberships:
        users.setdefault(membership.role_id, []).append(membership.user_id)
    return users


def missing_items(definition: Definition, providers_assets: Sequence[Asset]) -> MissingItems:
    """What a run lacks; all lists are empty when nothing stands against it.

    Args:
        definition: The computation.
        providers_assets: Every asset in the workspace that its providers made, to name the unlinked ones.
    """
    linked = {asset.id for asset in definition.assets}
    info: list[str] = []
    hashes: list[str] = []
    for action, words in (
        (Action.ALGO_PROVIDER, "provides the algorithm"),
        (Action.RESULT_CONSUMER, "consumes the result"),
    ):
        if not definition.users_with(action):
            info.append(f"Nobody {words}: give somebody a role with the action {action}.")
    for kind, action in PROVIDER_ACTIONS.items():
        is_wanted = kind is AssetKind.ALGORITHM or definition.users_with(action)
        if is_wanted and not definition.assets_of(kind):
            info.append(f"No {kind} is linked: its provider links an asset of the type {kind}.")
            hashes += [
                asset.file_name or asset.id
                for asset in providers_assets
                if asset.asset_type == kind
                and asset.id not in linked
                and asset.user_id in definition.users_with(action)
            ]
    for asset in definition.assets:
        action = PROVIDER_ACTIONS[AssetKind(asset.asset_type)]
        if asset.user_id not in definition.users_with(action):
            info.append(
                f"The owner of {asset.file_name or asset.id} does not hold the action {action} any more: "
                "unlink the asset, or give the role back."
            )
    participants = {*definition.users_with(*_PARTS), *(asset.user_id for asset in definition.assets)}
    return MissingItems(keys=sorted(participants - definition.keys.keys()), hashes=hashes, info=info)


def advice(definition: Definition, *, some_cvm_is_ready: bool) -> list[str]:
    """What may keep a run from succeeding, though nothing is missing for its start."""
    sentences = [
        f"agent_config.{name} is not PEM text: the agent takes it for a path inside the VM."
        for name in AGENT_TLS_FIELDS
        if (value := getattr(definition.computation, name)) and _PEM_MARK not in value
    ]
    if not some_cvm_is_ready:
        sentences.append("No CVM of the workspace is ready: start one, or wait for it.")
    return sentences
