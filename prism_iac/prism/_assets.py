"""Assets of a workspace (prism-rest.md section 2.4)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from prism_iac.model import AssetKind, RemoteSource
from prism_iac.prism._created import id_of_created
from prism_iac.prism._errors import NotFound
from prism_iac.prism._routes import Routes
from prism_iac.prism.records import AssetRecord, ComputationRecord

__all__ = ["AssetContent", "Assets"]


@dataclass(frozen=True, slots=True)
class AssetContent:
    """What a create or an update says of an asset.

    Attributes:
        checksum: SHA3-256 of the real file, 64 lower-case hexadecimal characters (D25).
        file_name: The name that the upload must have; empty for any.
        sample: For others to look at, at most 10 MB; None keeps what is there.
        source: Where agents fetch it, which the embedded Prism keeps and none that is documented; None keeps what
            is there.
        removes_source: Whether agents wait for an upload again.
    """

    asset_type: AssetKind
    description: str
    checksum: str
    file_name: str = ""
    mime_type: str = ""
    sample: bytes | None = None
    source: RemoteSource | None = None
    removes_source: bool = False

    def to_json(self) -> dict[str, Any]:
        """The body in its documented wrapper (D30)."""
        content: dict[str, Any] = {
            "asset_type": self.asset_type,
            "description": self.description,
            "checksum": self.checksum,
            "file_name": self.file_name,
            "mime_type": self.mime_type,
        }
        if self.sample is not None:
            content["asset"] = base64.b64encode(self.sample).decode("ascii")
        if self.source is not None or self.removes_source:
            content["source"] = self.source and self.source.to_json()
        return {"asset": content}


@dataclass(frozen=True, slots=True)
class Assets:
    """The assets of one workspace; their bytes never come here."""

    routes: Routes

    def create(self, content: AssetContent, *, idempotency_key: str | None = None) -> str:
        """Make an asset that the caller owns (A1).

        Returns:
            The id of the asset.

        Raises:
            Rejected: The sample is too long, or a value is not accepted.
        """
        call = self.routes.call("POST", "assets", body=content.to_json()).creating(idempotency_key)
        return id_of_created(self.routes.api.send(call), lambda: self._newest(content))

    def list(self) -> Iterator[AssetRecord]:
        """The assets of the workspace, newest first, without samples (A2)."""
        return self.routes.pages("assets", AssetRecord.parse, "assets", identity=lambda asset: asset.id)

    def get(self, asset_id: str) -> AssetRecord:
        """One asset (A3).

        Raises:
            NotFound: There is none.
        """
        return self.routes.get(AssetRecord.parse, "assets", asset_id)

    def update(self, asset_id: str, content: AssetContent) -> None:
        """Replace what an asset says (A4).

        Raises:
            ApiConflict: A computation that it is linked to is running.
        """
        self.routes.api.send(self.routes.call("PUT", "assets", asset_id, body=content.to_json()))

    def delete(self, asset_id: str) -> None:
        """Remove an asset; one that is gone already is fine (A5, D31).

        Raises:
            ApiConflict: It is linked to a computation.
        """
        with suppress(NotFound):
            self.routes.api.send(self.routes.call("DELETE", "assets", asset_id))

    def link(self, asset_id: str, computation_id: str) -> None:
        """Let a computation use an asset; doing it again is fine (A6, D31).

        Raises:
            PermissionDenied: The caller does not hold the provider action that fits the asset.
            ApiConflict: The computation is running, or has an algorithm already.
        """
        self.routes.api.send(self.routes.call("POST", "assets", asset_id, computation_id).harmless_twice())

    def unlink(self, asset_id: str, computation_id: str) -> None:
        """Take an asset from a computation; one that is not linked is fine (A8, D31).

        Raises:
            ApiConflict: The computation is running.
        """
        with suppress(NotFound):
            self.routes.api.send(self.routes.call("PUT", "assets", asset_id, computation_id))

    def computations(self, asset_id: str) -> Iterator[ComputationRecord]:
        """The computations that use an asset (A7)."""
        return self.routes.pages(
            "computations",
            ComputationRecord.parse,
            "assets",
            asset_id,
            "computations",
            identity=lambda computation: computation.id,
        )

    def _newest(self, content: AssetContent) -> str | None:
        """The id of the youngest asset with a checksum and a file name."""
        named = [asset for asset in self.list() if asset.file_name == content.file_name]
        named.sort(key=lambda asset: asset.created_at.timestamp() if asset.created_at else 0.0, reverse=True)
        for asset in named:
            if (asset.checksum or self.get(asset.id).checksum) == content.checksum:
                return asset.id
        return None
