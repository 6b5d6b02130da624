"""Assets (prism-rest.md section 3.4, D30)."""

from __future__ import annotations

import base64
from typing import Any

from pydantic import AliasChoices, Field

from prism_iac.backend.records.fields import Base64Bytes, Body, LongText, OptionalText, Record, Time
from prism_iac.backend.store.assets import Asset
from prism_iac.model import AssetKindText, Checksum, RemoteSource

__all__ = ["AssetBody", "AssetItem", "AssetPage", "AssetRecord", "WrappedAsset", "asset_item", "asset_record"]


class AssetBody(Body):
    """An asset as it is created or replaced; what is left out of a replacement stays."""

    description: LongText
    asset_type: AssetKindText
    file_name: OptionalText | None = None
    mime_type: OptionalText | None = None
    user_key: OptionalText | None = None
    checksum: Checksum | None = Field(
        default=None,
        validation_alias=AliasChoices("checksum", "Checksum", "hash"),
        description="SHA3-256 of the file, 64 hexadecimal characters; the sample's digest when left out.",
    )
    asset: Base64Bytes | None = Field(default=None, description="A sample of the file, base64.")
    source: RemoteSource | None = Field(
        default=None,
        description="Where agents fetch it; they wait for an upload where it is null. Not of the documented routes.",
    )

    def sample(self) -> bytes | None:
        """The sample's bytes; None when there is no word of one."""
        return None if self.asset is None else base64.b64decode(self.asset)


class WrappedAsset(Body):
    """An asset inside its documented wrapper."""

    asset: AssetBody


class AssetItem(Record):
    """An asset in a list."""

    id: str
    user_id: str
    file_name: str
    description: str
    asset_type: str
    mime_type: str
    checksum: str
    user_key: str
    created_at: Time
    source: dict[str, Any] | None
    computations: list[str]


class AssetRecord(AssetItem):
    """An asset with its sample, base64."""

    asset: str


class AssetPage(Record):
    """Some assets."""

    assets: list[AssetItem]
    total: int
    limit: int
    offset: int


def asset_item(asset: Asset, computations: list[str]) -> AssetItem:
    """The record of an asset as lists show it."""
    return AssetItem(
        id=asset.id,
        user_id=asset.user_id,
        file_name=asset.file_name,
        description=asset.description,
        asset_type=asset.asset_type,
        mime_type=asset.mime_type,
        checksum=asset.checksum,
        user_key=asset.user_key,
        created_at=asset.created_at,
        source=asset.source and asset.source.to_json(),
        computations=computations,
    )


def asset_record(asset: Asset, computations: list[str], sample: bytes) -> AssetRecord:
    """The whole record of an asset."""
    item = asset_item(asset, computations)
    return AssetRecord(**item.model_dump(), asset=base64.b64encode(sample).decode())
