"""The flat layout: one object with participants by digest (prism-rest.md 3.8, D57)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from prism_iac.exchange._agent import AgentDocument, agent_json
from prism_iac.exchange._definition import (
    PART_OF_KIND,
    AssetDefinition,
    Definition,
    Origin,
    derived_asset_id,
    roles_from_actions,
)
from prism_iac.exchange._fields import NULL_IS_EMPTY, DigestText, Layout, Moment, OptionalText, moment_text
from prism_iac.model import Action, AssetKind, Location, Text, User

__all__ = ["FlatDocument", "flat_json", "parts_of_kind"]


class BroughtPart(Layout):
    """What somebody brings; without a digest they may bring something later."""

    provider: User
    hash: DigestText = None


class FlatDocument(Layout):
    """A computation as one object."""

    id: OptionalText = ""
    name: Text
    description: Text
    owner: OptionalText = ""
    start_time: Moment = None
    datasets: Annotated[tuple[BroughtPart, ...], NULL_IS_EMPTY] = ()
    algorithm: BroughtPart | None = None
    result_consumers: Annotated[tuple[User, ...], NULL_IS_EMPTY] = ()
    agent_config: AgentDocument = AgentDocument()
    backend_id: OptionalText = ""

    def definition(self) -> Definition:
        """What it says, in canonical form: who brings or reads something has the role for it."""
        brought = [
            *((AssetKind.DATASET, part) for part in self.datasets),
            *([(AssetKind.ALGORITHM, self.algorithm)] if self.algorithm else []),
        ]
        held: dict[str, frozenset[Action]] = {}
        for user, action in (
            *((part.provider, PART_OF_KIND[kind]) for kind, part in brought),
            *((user, Action.RESULT_CONSUMER) for user in self.result_consumers),
        ):
            held[user] = held.get(user, frozenset()) | {action}
        assets = {
            (kind, part.provider, part.hash): AssetDefinition(
                derived_asset_id(kind, part.provider, part.hash),
                kind=kind,
                user=part.provider,
                checksum=part.hash,
                linked=True,
            )
            for kind, part in brought
            if part.hash
        }
        return Definition.of(
            name=self.name,
            description=self.description,
            agent=self.agent_config.record(),
            roles=roles_from_actions(held),
            assets=assets.values(),
            origin=Origin(
                id=self.id, owner=self.owner, backend_id=self.backend_id, start_time=self.start_time
            ),
        )

    def mentions(self) -> Iterator[tuple[str, Location]]:
        """Every user and asset that it names, and where."""
        for number, part in enumerate(self.datasets):
            yield part.provider, ("datasets", number, "provider")
            if part.hash:
                asset = derived_asset_id(AssetKind.DATASET, part.provider, part.hash)
                yield asset, ("datasets", number, "hash")
        if self.algorithm:
            yield self.algorithm.provider, ("algorithm", "provider")
            if self.algorithm.hash:
                asset = derived_asset_id(AssetKind.ALGORITHM, self.algorithm.provider, self.algorithm.hash)
                yield asset, ("algorithm", "hash")
        for number, user in enumerate(self.result_consumers):
            yield user, ("result_consumers", number)


def parts_of_kind(definition: Definition, kind: AssetKind) -> list[tuple[str, str]]:
    """Who brings what of a kind, as pairs of user and digest; the digest is empty where nothing is linked."""
    linked = [asset for asset in definition.linked if asset.kind is kind]
    brought = {(asset.user, asset.checksum) for asset in linked if asset.checksum}
    users = {asset.user for asset in linked} | set(definition.users_with(PART_OF_KIND[kind]))
    waiting = {(user, "") for user in users - {user for user, _ in brought}}
    return sorted(brought | waiting)


def flat_json(definition: Definition, *, with_keys: bool) -> dict[str, Any]:
    """A definition as one object; other roles than those of participants have no place in it."""
    origin = definition.origin
    # There is place for one: the one that is linked counts first.
    algorithm = sorted(parts_of_kind(definition, AssetKind.ALGORITHM), key=lambda part: not part[1])
    return {
        "id": origin.id,
        "name": definition.name,
        "description": definition.description,
        "owner": origin.owner,
        "start_time": moment_text(origin.start_time),
        "datasets": [
            {"provider": user, "hash": digest}
            for user, digest in parts_of_kind(definition, AssetKind.DATASET)
        ],
        "algorithm": {"provider": algorithm[0][0], "hash": algorithm[0][1]} if algorithm else None,
        "result_consumers": list(definition.users_with(Action.RESULT_CONSUMER)),
        "agent_config": agent_json(definition.agent, with_keys=with_keys),
        "backend_id": origin.backend_id,
    }
