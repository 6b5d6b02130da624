"""The one canonical form of a computation's definition, whatever the layout it was read from.

Sets are sorted and every value has one spelling, so that two definitions are equal where they say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from prism_iac.model import Action, AssetKind, RemoteSource, role_name, sha3_256
from prism_iac.prism import AgentConfigRecord

__all__ = [
    "PART_OF_KIND",
    "AssetDefinition",
    "Definition",
    "Origin",
    "RoleDefinition",
    "derived_asset_id",
    "portable",
    "roles_from_actions",
]

PART_OF_KIND: Final = {
    AssetKind.ALGORITHM: Action.ALGO_PROVIDER,
    AssetKind.DATASET: Action.DATASET_PROVIDER,
}
"""The action that a user needs to bring an asset of a kind."""


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role of a computation.

    Attributes:
        members: Users by id, or as people write them; sorted.
    """

    name: str
    actions: tuple[Action, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetDefinition:
    """An asset that a definition speaks of.

    Attributes:
        id: At the Prism that the definition comes from, or derived from what is said of it.
        kind: None where nothing but the id is known.
        user: Who brings it; empty where nothing but the id is known.
        source: Where agents fetch it; None where they wait for an upload, or nothing tells.
        linked: Whether the computation uses it.
    """

    id: str
    kind: AssetKind | None = None
    user: str = ""
    checksum: str = ""
    file_name: str = ""
    description: str = ""
    mime_type: str = ""
    sample: bytes = field(default=b"", repr=False)
    user_key: str = ""
    created_at: datetime | None = None
    source: RemoteSource | None = None
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a definition comes from; nothing of it is brought to another workspace."""

    id: str = ""
    owner: str = ""
    backend_id: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A computation with its roles, its assets and how its agent is secured."""

    name: str
    description: str
    agent: AgentConfigRecord = field(default_factory=AgentConfigRecord)
    roles: tuple[RoleDefinition, ...] = ()
    assets: tuple[AssetDefinition, ...] = ()
    origin: Origin = Origin()

    @classmethod
    def of(
        cls,
        *,
        name: str,
        description: str,
        agent: AgentConfigRecord,
        roles: Iterable[RoleDefinition],
        assets: Iterable[AssetDefinition],
        origin: Origin = Origin(),
    ) -> Definition:
        """The definition in canonical order."""
        return cls(
            name=name,
            description=description,
            agent=agent,
            roles=tuple(sorted(roles, key=lambda role: role.name)),
            assets=tuple(sorted(assets, key=_order)),
            origin=origin,
        )

    @property
    def linked(self) -> tuple[AssetDefinition, ...]:
        """The assets that the computation uses."""
        return tuple(asset for asset in self.assets if asset.linked)

    def users_with(self, action: Action) -> tuple[str, ...]:
        """The users who hold an action, sorted."""
        return tuple(sorted({user for role in self.roles if action in role.actions for user in role.members}))

    def actions_by_user(self) -> dict[str, frozenset[Action]]:
        """What each user may do."""
        held: dict[str, frozenset[Action]] = {}
        for role in self.roles:
            for user in role.members:
                held[user] = held.get(user, frozenset()) | frozenset(role.actions)
        return held

    def digest(self) -> str:
        """SHA3-256 of all that the definition says, but for where it comes from; hexadecimal."""
        asset_facts = [
            [
                *(asset.id, asset.kind, asset.user, asset.checksum, asset.sample.hex(), asset.linked),
                # Nothing is added for uploads: the digest is in the marks of earlier imports.
                *([asset.source.to_json()] if asset.source else []),
            ]
            for asset in self.assets
        ]
        role_facts = [[role.name, role.actions, role.members] for role in self.roles]
        facts: list[Any] = [self.name, self.description, self.agent.to_json(), role_facts, asset_facts]
        return sha3_256(json.dumps(facts, ensure_ascii=False).encode()).hex()


def _order(asset: AssetDefinition) -> tuple[str, str, str, str, str]:
    return (asset.kind or "", asset.file_name, asset.checksum, asset.user, asset.id)


def derived_asset_id(kind: AssetKind, user: str, checksum: str) -> str:
    """The id of an asset of which no id is known: the same for the same asset (RFC 9562 section 5.8)."""
    octets = bytearray(sha3_256(f"{kind}\n{user}\n{checksum}".encode())[:16])
    octets[6] = octets[6] & 0x0F | 0x80  # version 8
    octets[8] = octets[8] & 0x3F | 0x80  # the variant of RFC 9562
    return str(UUID(bytes=bytes(octets)))


def roles_from_actions(held: dict[str, frozenset[Action]]) -> tuple[RoleDefinition, ...]:
    """One role for each set of actions, under its usual name: a user holds one role per computation (D51)."""
    members: dict[frozenset[Action], list[str]] = {}
    for user, actions in held.items():
        members.setdefault(actions | {Action.VIEW}, []).append(user)
    return tuple(
        RoleDefinition(role_name(actions), tuple(sorted(actions)), tuple(sorted(users)))
        for actions, users in members.items()
    )


def portable(definition: Definition) -> Definition:
    """What of a definition is the same at every Prism: without times, and without ids that a Prism gives.

    Roles that mean nothing, because nobody holds them, stay: they are there on purpose.
    """
    assets = (
        replace(
            asset,
            id=derived_asset_id(asset.kind, asset.user, asset.checksum) if asset.kind else asset.id,
            created_at=None,
            user_key="",
        )
        for asset in definition.assets
        if asset.linked
    )
    return Definition.of(
        name=definition.name,
        description=definition.description,
        agent=definition.agent,
        roles=definition.roles,
        assets=assets,
    )
