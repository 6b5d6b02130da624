"""The assets of a workspace, found by id or by what they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prism_iac.exchange._definition import AssetDefinition
from prism_iac.model import AssetKind

if TYPE_CHECKING:
    from prism_iac.prism import AssetRecord, Workspace

__all__ = ["WorkspaceAssets"]


class WorkspaceAssets:
    """What a workspace had when it was asked, and what was added since."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._by_id: dict[str, AssetRecord] = {}
        self._by_content: dict[tuple[AssetKind | None, str, str], list[AssetRecord]] = defaultdict(list)
        self._links: dict[str, list[str]] = defaultdict(list)
        for listed in workspace.assets.list():
            # A list may leave the digest out.
            self.add(listed if listed.checksum else workspace.assets.get(listed.id))

    def add(self, record: AssetRecord) -> None:
        """Take note of an asset."""
        self._by_id[record.id] = record
        self._by_content[record.asset_type, record.user_id, record.checksum].append(record)
        for computation in record.computations:
            self._links[computation].append(record.id)

    def match(self, asset: AssetDefinition, user_id: str) -> AssetRecord | None:
        """The asset that a definition means: by its id, or the same file of the same user, from the same source."""
        known = self._by_id.get(asset.id)
        if known is not None and (
            asset.kind is None
            or ((asset.kind, asset.checksum) == (known.asset_type, known.checksum) and _is_from(asset, known))
        ):
            return known
        same = self._by_content.get((asset.kind, user_id, asset.checksum), ())
        return next(
            (item for item in same if asset.file_name in ("", item.file_name) and _is_from(asset, item)), None
        )

    def linked_to(self, computation_id: str) -> Iterator[AssetRecord]:
        """The assets that a computation used."""
        return (self._by_id[asset_id] for asset_id in self._links.get(computation_id, ()))

    def all(self) -> Iterator[AssetRecord]:
        """Every asset."""
        return iter(self._by_id.values())


def _is_from(asset: AssetDefinition, record: AssetRecord) -> bool:
    """Whether an asset comes from where a definition says; some layouts do not say it."""
    return asset.source is None or asset.source == record.source
