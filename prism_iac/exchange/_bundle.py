"""The bundle layout: a computation with its roles, assets and links (prism-rest.md 3.8, D57, D59)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import model_validator

from prism_iac.exchange._agent import AgentDocument, agent_json
from prism_iac.exchange._definition import AssetDefinition, Definition, Origin, RoleDefinition
from prism_iac.exchange._fields import (
    NULL_IS_EMPTY,
    ActionSet,
    Base64,
    DigestText,
    Layout,
    Moment,
    OptionalText,
    Source,
    moment_text,
)
from prism_iac.model import (
    AssetKind,
    AssetKindText,
    Location,
    Refusal,
    Text,
    User,
    require_fitting_source,
    sha3_256,
    shown,
)

__all__ = ["AssetPart", "BundleDocument", "asset_json", "asset_of", "bundle_json"]


class ComputationPart(Layout):
    """The computation itself."""

    name: Text
    description: Text
    start_time: Moment = None
    end_time: Moment = None
    agent_config: AgentDocument = AgentDocument()
    created_at: Moment = None


class RolePart(Layout):
    """A role of it; its members are users by id, email address or user name."""

    respelled: ClassVar[Mapping[str, str]] = MappingProxyType({"name": "role_name"})

    role_name: Text
    actions: ActionSet = ()
    members: Annotated[tuple[User, ...], NULL_IS_EMPTY] = ()


class AssetPart(Layout):
    """An asset that it needs."""

    respelled: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"user_id": "UserID", "user_key": "UserKey", "hash": "Checksum"}
    )

    file_name: OptionalText = ""
    id: Text
    UserID: User
    description: OptionalText = ""
    asset_type: AssetKindText
    asset: Base64 = b""
    created_at: Moment = None
    Checksum: DigestText = None
    mime_type: OptionalText = ""
    Computations: Any = None
    UserKey: OptionalText = ""
    source: Source = None

    @model_validator(mode="after")
    def _has_a_fitting_source(self) -> Self:
        if self.source is not None:
            require_fitting_source(self.asset_type, self.source, file_name=self.file_name)
        return self


class LinkPart(Layout):
    """That it uses an asset; the computation's own id is filled in by an import."""

    asset_id: Text
    computation_id: OptionalText = ""


class BundleDocument(Layout):
    """One element of the array."""

    computation: ComputationPart
    roles: Annotated[tuple[RolePart, ...], NULL_IS_EMPTY] = ()
    assets: Annotated[tuple[AssetPart, ...], NULL_IS_EMPTY] = ()
    asset_links: Annotated[tuple[LinkPart, ...], NULL_IS_EMPTY] = ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        _refuse_repeated("roles", "role", [role.role_name for role in self.roles])
        _refuse_repeated("assets", "asset", [asset.id for asset in self.assets])
        members = [user for role in self.roles for user in dict.fromkeys(role.members)]
        for user in members:
            if members.count(user) > 1:
                raise Refusal(
                    f"{shown(user)} holds two roles",
                    "A user holds one role per computation: give it the actions of both.",
                    field="roles",
                )
        linked = {link.asset_id for link in self.asset_links}
        algorithms = [
            asset for asset in self.assets if asset.id in linked and asset.asset_type is AssetKind.ALGORITHM
        ]
        if len(algorithms) > 1:
            raise Refusal(
                "two algorithms are linked", "Remove one: a computation has one.", field="asset_links"
            )
        return self

    def definition(self) -> Definition:
        """What it says, in canonical form."""
        part = self.computation
        linked = {link.asset_id for link in self.asset_links}
        described = {asset.id for asset in self.assets}
        return Definition.of(
            name=part.name,
            description=part.description,
            agent=part.agent_config.record(),
            roles=(
                RoleDefinition(role.role_name, role.actions, tuple(sorted(set(role.members))))
                for role in self.roles
            ),
            assets=(
                *(asset_of(asset, is_linked=asset.id in linked) for asset in self.assets),
                *(AssetDefinition(asset_id, linked=True) for asset_id in linked - described),
            ),
            origin=Origin(start_time=part.start_time, end_time=part.end_time, created_at=part.created_at),
        )

    def mentions(self) -> Iterator[tuple[str, Location]]:
        """Every user and asset that it names, and where."""
        for number, role in enumerate(self.roles):
            for place, user in enumerate(role.members):
                yield user, ("roles", number, "members", place)
        for number, asset in enumerate(self.assets):
            yield asset.UserID, ("assets", number, "UserID")
            yield asset.id, ("assets", number, "id")
        for number, link in enumerate(self.asset_links):
            yield link.asset_id, ("asset_links", number, "asset_id")


def _refuse_repeated(field: str, what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise Refusal(f"the {what} {shown(name)} is given twice", "Keep one of them.", field=field)


def asset_of(part: AssetPart, *, is_linked: bool) -> AssetDefinition:
    """What is said of an asset, in canonical form."""
    return AssetDefinition(
        id=part.id,
        kind=part.asset_type,
        user=part.UserID,
        # A sample stands for the file where no digest is given (D30).
        checksum=part.Checksum or (sha3_256(part.asset).hex() if part.asset else ""),
        file_name=part.file_name,
        description=part.description,
        mime_type=part.mime_type,
        sample=part.asset,
        user_key=part.UserKey,
        created_at=part.created_at,
        source=part.source,
        linked=is_linked,
    )


def bundle_json(definition: Definition, *, with_keys: bool) -> dict[str, Any]:
    """A definition as an element of the array, in the documented casing (D59)."""
    origin = definition.origin
    return {
        "computation": {
            "name": definition.name,
            "description": definition.description,
            "start_time": moment_text(origin.start_time),
            "end_time": moment_text(origin.end_time),
            "agent_config": agent_json(definition.agent, with_keys=with_keys),
            "created_at": moment_text(origin.created_at),
        },
        "roles": [
            {"role_name": role.name, "actions": list(role.actions), "members": list(role.members) or None}
            for role in definition.roles
        ],
        "assets": [asset_json(asset) for asset in definition.assets if asset.kind],
        "asset_links": [{"asset_id": asset.id, "computation_id": ""} for asset in definition.linked],
    }


def asset_json(asset: AssetDefinition) -> dict[str, Any]:
    """An asset as it is written, in the casing of exports (D59); a source is there where there is one."""
    return {
        "file_name": asset.file_name,
        "id": asset.id,
        "UserID": asset.user,
        "description": asset.description,
        "asset_type": asset.kind,
        "asset": base64.b64encode(asset.sample).decode("ascii"),
        "created_at": moment_text(asset.created_at),
        "Checksum": asset.checksum,
        "mime_type": asset.mime_type,
        "Computations": None,
        "UserKey": asset.user_key,
        **({"source": asset.source.to_json()} if asset.source else {}),
    }
